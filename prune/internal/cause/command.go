package cause

import "strings"

// Ctr is a command of ctr, containerd's own client, in a namespace, as it is
// typed into a shell.
func Ctr(namespace string, args ...string) string {
	words := []string{"ctr", "-n", ShellQuote(namespace)}
	for _, arg := range args {
		words = append(words, ShellQuote(arg))
	}
	return strings.Join(words, " ")
}

// LabelImage is the command that sets a label, KEY=VALUE, on an image record,
// or removes it if the value is empty.
func LabelImage(namespace, name, label string) string {
	return Ctr(namespace, "images", "label", name, label)
}

// ShellQuote quotes a word for a shell, where it needs to be.
func ShellQuote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@=", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
