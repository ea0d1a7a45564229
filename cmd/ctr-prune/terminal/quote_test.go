package terminal

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
)

func TestQuoteMakesTheInvisibleVisible(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27"},
		{"größe 日本 🐳", "größe 日本 🐳"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\u202egnp.exe", `\u202egnp.exe`},
		{"c1:\u009b31m", `c1:\x9b31m`},
		{"bad \xff\xfe utf", `bad \xff\xfe utf`},
		{"cut \xe2\x82", `cut \xe2\x82`},
		{"\x00\x7f", `\x00\x7f`},
		{"zero\u200bwidth\ufeff", `zero\u200bwidth\ufeff`},
		{"tag \U000e0041", `tag \U000e0041`},
		{"replaced \ufffd", `replaced \ufffd`},
		{"", ""},
	} {
		if got := Quote(c.in); got != c.want {
			t.Errorf("Quote(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestQuotedTextIsPrintableAndStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := terminaltest.Anything().Draw(t, "s")
		once := Quote(s)
		if r, bad := terminaltest.Unprintable(once); bad {
			t.Fatalf("Quote(%q) has %U in it", s, r)
		}
		if twice := Quote(once); twice != once {
			t.Fatalf("quoting %q again changes it to %q", once, twice)
		}
	})
}
