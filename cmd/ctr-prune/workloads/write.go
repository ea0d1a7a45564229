package workloads

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Convert writes the file of patterns for a file of workloads, or for what stdin has if
// the file is "-".
func Convert(file string, stdin io.Reader, to io.Writer) error {
	from := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		from = f
	} else {
		file = "stdin"
	}
	needs, err := Read(from)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return needs.Write(to)
}

// mostNamed is how many of those that need an image are named.
const mostNamed = 3

// Write writes a file of patterns, sorted, one for each image, with who needs it as a
// comment.
func (n Needs) Write(to io.Writer) error {
	w := bufio.NewWriter(to)
	for _, image := range slices.Sorted(maps.Keys(n)) {
		who := slices.Compact(slices.Sorted(slices.Values(n[image])))
		more := ""
		if len(who) > mostNamed {
			more = fmt.Sprintf(", and %d more", len(who)-mostNamed)
			who = who[:mostNamed]
		}
		// An error stays, and Flush returns it.
		_, _ = fmt.Fprintf(w, "%s  # %s%s\n", image, printable(strings.Join(who, ", ")), more)
	}
	return w.Flush()
}

// printable leaves out of a comment what would end it or be taken for something else.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '#' {
			return '?'
		}
		return r
	}, text)
}
