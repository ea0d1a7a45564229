package format

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// Encode returns v as JSON, indented or on one line, that is safe on a
// terminal, see [terminal.EscapeJSON].
func Encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the output: %w", err)
	}
	return terminal.EscapeJSON(b.Bytes()), nil
}

// Write writes v as [Encode] returns it.
func Write(out *terminal.Printer, v any, indent string) error {
	b, err := Encode(v, indent)
	if err != nil {
		return err
	}
	out.Write(string(b))
	return nil
}
