package terminal

import (
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
)

// Text of a store is quoted once for all, and fits where it must.
func FuzzQuote(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, width int64) {
		once := Quote(text)
		if r, bad := terminaltest.Unprintable(once); bad || Quote(once) != once || len(once) > 10*len(text) {
			t.Errorf("%q is quoted as %q, with %U", text, once, r)
		}
		width = 1 + (width&0x7fffffff)%200
		for _, middle := range []bool{false, true} {
			if short := shorten(once, int(width), middle, ellipsis); runewidth.StringWidth(short) > int(width) {
				t.Errorf("%q is %d wide, not %d", short, runewidth.StringWidth(short), width)
			}
		}
	})
}
