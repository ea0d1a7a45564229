package main

import (
	"regexp"
	"strings"
)

// easy is what can be typed in a shell as it is. Names of a store may hold
// anything, and a completion is put on a command line.
var easy = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,254}$`)

// beginning is what easy names begin with.
var beginning = regexp.MustCompile(`^[A-Za-z0-9._/:@+-]{0,255}$`)

func typeable(names []string) []string {
	var all []string
	for _, n := range names {
		if easy.MatchString(n) {
			all = append(all, n)
		}
	}
	return all
}

// shellWord is a text as it is typed in a shell.
func shellWord(s string) string {
	if s != "" && beginning.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
