package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// encodeJSON returns v as JSON, indented or on one line, that is safe on a
// terminal: what does not print is escaped as \uXXXX, so that a reader still
// gets it exactly.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the output: %w", err)
	}
	return terminal.EscapeJSON(b.Bytes()), nil
}

// jsonView shows one document.
type jsonView struct{ out *terminal.Printer }

func (v jsonView) show(doc prune.Document) error {
	b, err := encodeJSON(doc, "  ")
	if err != nil {
		return err
	}
	v.out.Write(string(b))
	return v.out.Flush()
}
