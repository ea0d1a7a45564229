package terminal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

// Nothing of a tree is cut, however narrow the terminal is: what has no room is folded.
func TestTreeIsWhole(t *testing.T) {
	digest := "sha256:" + strings.Repeat("4f", 6) + "…"
	branches := []Branch{{Text: "manifest " + digest, Note: "721B", Below: []Branch{
		{Text: "snapshot 1 overlayfs/" + digest, Note: "8.897MB, shared", Below: []Branch{{Text: "名前" + strings.Repeat("長", 40), Note: "1B"}}},
		{Text: "layer 1 " + digest, Note: "see above"},
	}}}
	for _, width := range []int{20, 40, 80, 200} {
		var b bytes.Buffer
		out := New(&b)
		out.Width = width
		out.Tree(branches)
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for line := range strings.Lines(text) {
			if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > max(width, 30) {
				t.Errorf("at %d a line is %d wide:\n%s", width, w, text)
			}
		}
		joined := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \n│├└─", r) {
				return -1
			}
			return r
		}, text)
		for _, want := range []string{"manifest" + digest + "721B", "snapshot1overlayfs/" + digest + "8.897MB,shared", "名前" + strings.Repeat("長", 40) + "1B", "layer1" + digest + "seeabove"} {
			if !strings.Contains(joined, want) {
				t.Errorf("at %d there is no %q:\n%s", width, want, text)
			}
		}
		if width == 200 && strings.Count(text, "\n") != 4 {
			t.Errorf("what has room is folded:\n%s", text)
		}
	}
}
