package main

import (
	"fmt"
	"strings"
	"text/template"
	"unicode"
)

// funcQuote is the function that ends every printed value; no template can
// name it.
const funcQuote = "_quote"

// templateFuncs are the functions that docker's templates have. Values are
// data until they are printed, so these work on what is exact.
func templateFuncs() template.FuncMap {
	return template.FuncMap{
		funcQuote: func(v any) string { return quote(fmt.Sprint(v)) },
		"json": func(v any) (string, error) {
			b, err := encodeJSON(v, "")
			return strings.TrimSuffix(string(b), "\n"), err
		},
		"size":     humanSize,
		"upper":    strings.ToUpper,
		"lower":    strings.ToLower,
		"split":    strings.Split,
		"join":     func(list []string, sep string) string { return strings.Join(list, sep) },
		"title":    title,
		"pad":      pad,
		"truncate": truncate,
	}
}

// parseFuncs are the names that a piece of a template may use, for looking at
// it only.
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

func title(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		r := []rune(word)
		r[0] = unicode.ToTitle(r[0])
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// pad puts spaces around what is not empty.
func pad(s string, before, after int) string {
	if s == "" {
		return s
	}
	return strings.Repeat(" ", max(0, before)) + s + strings.Repeat(" ", max(0, after))
}

// truncate cuts to a number of characters.
func truncate(s string, length int) string {
	r := []rune(s)
	return string(r[:min(len(r), max(0, length))])
}
