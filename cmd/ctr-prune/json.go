package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

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
	return escapeJSON(b.Bytes()), nil
}

// escapeJSON escapes what does not print. In JSON that can only be within
// strings, but for the line breaks.
func escapeJSON(in []byte) []byte {
	odd := func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }
	if bytes.IndexFunc(in, odd) < 0 {
		return in // large documents are nearly always so
	}
	out := make([]byte, 0, len(in)+len(in)/8)
	for len(in) > 0 {
		r, size := utf8.DecodeRune(in)
		switch {
		case !odd(r):
			out = append(out, in[:size]...)
		case r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		in = in[size:]
	}
	return out
}

// jsonView shows one document.
type jsonView struct{ out *printer }

func (v jsonView) show(doc prune.Document) error {
	b, err := encodeJSON(doc, "  ")
	if err != nil {
		return err
	}
	v.out.write(string(b))
	return v.out.flush()
}
