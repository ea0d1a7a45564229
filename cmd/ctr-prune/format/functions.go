package format

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"text/template"
	"unicode"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// funcQuote is the function that ends every printed value; no template can
// name it.
const funcQuote = "_quote"

// templateFuncs are the functions that docker's templates have. Values are
// quoted only when they are printed, so these functions work on exact values.
func templateFuncs() template.FuncMap {
	return template.FuncMap{
		funcQuote: quoteValue,
		"printf":  printf,
		"println": func(args ...any) quoted {
			return printf(strings.TrimSuffix(strings.Repeat("%v ", len(args)), " ")+"\n", args...)
		},
		"json": func(v any) (string, error) {
			b, err := Encode(v, "")
			return strings.TrimSuffix(string(b), "\n"), err
		},
		"size":     size,
		"upper":    func(v any) string { return strings.ToUpper(fmt.Sprint(v)) },
		"lower":    func(v any) string { return strings.ToLower(fmt.Sprint(v)) },
		"title":    func(v any) string { return title(fmt.Sprint(v)) },
		"split":    func(v any, sep string) []string { return strings.Split(fmt.Sprint(v), sep) },
		"join":     join,
		"pad":      pad,
		"truncate": truncate,
	}
}

// size shows any number as bytes.
func size(v any) (string, error) {
	n := reflect.ValueOf(v)
	switch {
	case n.IsValid() && n.CanInt():
		return terminal.Size(n.Int()), nil
	case n.IsValid() && n.CanUint():
		return terminal.Size(int64(min(n.Uint(), math.MaxInt64))), nil
	}
	return "", fmt.Errorf("size: %T is not a number of bytes", v)
}

// quoted is text whose data is quoted already, and whose line breaks and tabs
// are those of the template.
type quoted string

func quoteValue(v any) string {
	if q, ok := v.(quoted); ok {
		return string(q)
	}
	return terminal.Quote(fmt.Sprint(v))
}

// printf formats values so that the line breaks of the format remain, and none
// of the values'.
func printf(format string, args ...any) quoted {
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = terminal.Quote(s)
		} else if v := reflect.ValueOf(arg); v.IsValid() && !v.CanInt() && !v.CanUint() && !v.CanFloat() && v.Kind() != reflect.Bool {
			args[i] = terminal.Quote(fmt.Sprint(arg))
		}
	}
	var b strings.Builder
	for part := range strings.SplitAfterSeq(fmt.Sprintf(format, args...), "\n") {
		line, ended := strings.CutSuffix(part, "\n")
		cells := strings.Split(line, "\t")
		for i := range cells {
			cells[i] = terminal.Quote(cells[i])
		}
		b.WriteString(strings.Join(cells, "\t"))
		if ended {
			b.WriteString("\n")
		}
	}
	return quoted(b.String())
}

// parseFuncs are the functions that a piece of a template may name when it is
// only parsed.
func parseFuncs() map[string]any {
	all := map[string]any{}
	for name, f := range templateFuncs() {
		all[name] = f
	}
	for _, name := range []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call"} {
		all[name] = fmt.Sprint
	}
	return all
}

// join puts the items of any list together.
func join(list any, sep string) (string, error) {
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice {
		return "", fmt.Errorf("join: %T is not a list", list)
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(items, sep), nil
}

func title(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		r := []rune(word)
		r[0] = unicode.ToTitle(r[0])
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// pad puts spaces around text that is not empty.
func pad(v any, before, after int) string {
	s := fmt.Sprint(v)
	if s == "" {
		return s
	}
	return strings.Repeat(" ", max(0, before)) + s + strings.Repeat(" ", max(0, after))
}

// truncate cuts to a number of characters.
func truncate(v any, length int) string {
	r := []rune(fmt.Sprint(v))
	return string(r[:min(len(r), max(0, length))])
}

// Bytes is a number of bytes that a template prints like docker, but compares
// and formats as a number.
type Bytes int64

func (b Bytes) String() string { return terminal.Size(int64(b)) }
