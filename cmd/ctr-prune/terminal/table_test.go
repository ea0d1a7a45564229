package terminal

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
)

func printed(t Table, width int) []string {
	var b bytes.Buffer
	p := New(&b)
	p.Width = width
	t.Print(p)
	if err := p.Flush(); err != nil {
		panic(err) // a buffer takes everything
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func imagesTable(rows ...[]string) Table {
	t := Table{Columns: []Column{{Title: "ACTION"}, {Title: "NAME", Least: LeastName, Middle: true}, {Title: "REASON", Least: LeastText}}}
	for _, row := range rows {
		t.Add(row...)
	}
	return t
}

func TestTableIsFittedToTheWidth(t *testing.T) {
	table := imagesTable(
		[]string{"remove", "registry.example.com/team/service:2026-01-31", "unused"},
		[]string{"keep", "docker.io/library/nginx:1", "in use by container web (nerdctl) and container proxy"},
	)
	want := []string{
		"ACTION   NAME                                           REASON",
		"remove   registry.example.com/team/service:2026-01-31   unused",
		"keep     docker.io/library/nginx:1                      in use by container web (nerdctl) and container proxy",
	}
	if diff := cmp.Diff(want, printed(table, 0)); diff != "" {
		t.Errorf("in a pipe (-want +got):\n%s", diff)
	}
	least := len("remove") + LeastName + LeastText + 2*len(gap)
	for width := 1; width <= 130; width++ {
		for _, line := range printed(table, width) {
			if w := runewidth.StringWidth(line); w > max(width, least) {
				t.Errorf("width %d: %q takes %d columns", width, line, w)
			}
		}
	}
	narrow := printed(table, 72)
	if !strings.Contains(narrow[1], "registry.") || !strings.Contains(narrow[1], "2026-01-31") {
		t.Errorf("the ends of a shortened name are gone: %q", narrow[1])
	}
	if !strings.HasSuffix(narrow[2], ellipsis) {
		t.Errorf("a shortened reason does not say so: %q", narrow[2])
	}
}

func TestTableNeverPrintsWhatATerminalActsOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := imagesTable()
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			table.Add(terminaltest.Anything().Draw(t, "a"), terminaltest.Anything().Draw(t, "b"), terminaltest.Anything().Draw(t, "c"))
		}
		rows := len(table.rows)
		lines := printed(table, rapid.IntRange(0, 200).Draw(t, "width"))
		if len(lines) != rows+1 {
			t.Fatalf("%d rows make %d lines", rows, len(lines))
		}
		for _, line := range lines {
			if r, bad := terminaltest.Unprintable(line); bad {
				t.Fatalf("%q has %U in it", line, r)
			}
		}
	})
}

func TestShortenKeepsTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Quote(terminaltest.Anything().Draw(t, "s"))
		width := rapid.IntRange(1, 40).Draw(t, "width")
		middle := rapid.Bool().Draw(t, "middle")
		got := shorten(s, width, middle, ellipsis)
		if w := runewidth.StringWidth(got); w > width {
			t.Fatalf("shorten(%q, %d) = %q takes %d", s, width, got, w)
		}
		if runewidth.StringWidth(s) <= width && got != s {
			t.Fatalf("shorten(%q, %d) = %q although it fits", s, width, got)
		}
	})
}

// Of a column that is shown whole nothing is cut, at any width.
func TestWholeColumn(t *testing.T) {
	table := func() Table {
		t := Table{Columns: []Column{{Title: "ID", Least: 6, Middle: true}, {Title: "PRUNE"}, {Title: "REASON", Least: 14, Whole: true}}}
		t.Add("nightly-build", "keep", "of another client: only its owner knows whether it is needed")
		t.Add("x", "remove", "expired")
		return t
	}
	want := []string{
		"ID              PRUNE    REASON",
		"nightly-build   keep     of another client: only",
		"                         its owner knows whether",
		"                         it is needed",
		"x               remove   expired",
	}
	if diff := cmp.Diff(want, printed(table(), 49)); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}
	want = []string{"ID              PRUNE", "nightly-build   keep", "  of another client:", "  only its owner knows", "  whether it is needed", "x               remove", "  expired"}
	if diff := cmp.Diff(want, printed(table(), 22)); diff != "" {
		t.Errorf("below (-want +got):\n%s", diff)
	}
	spare := table()
	spare.Spare = []string{"PRUNE"}
	if got := printed(spare, 14); got[0] != "ID" || got[1] != "nightly-build" {
		t.Errorf("what is spare stays: %q", got)
	}
	for width := 1; width < 120; width++ {
		said := strings.Join(strings.Fields(strings.Join(printed(table(), width), " ")), " ")
		for _, word := range []string{"another", "client:", "knows", "needed", "expired"} {
			if !strings.Contains(said, word) {
				t.Fatalf("width %d: %q is missing:\n%s", width, word, said)
			}
		}
	}
	if got := fold("sha256:0123456789 ab", 6); !slices.Equal(got, []string{"sha256", ":01234", "56789", "ab"}) {
		t.Errorf("a long word: %q", got)
	}
}

// A title says what its column is, so it is never shortened: rather columns are left out.
func TestTitlesAreWhole(t *testing.T) {
	table := Table{Columns: []Column{{Title: "NAMESPACE", Least: 3}, {Title: "NAME", Least: 5}, {Title: "SIZE"}}}
	table.Add("a", "registry.example.com/team/service:1", "12.5MB")
	for _, width := range []int{5, 20, 40} {
		if head := printed(table, width)[0]; !strings.HasPrefix(head, "NAMESPACE   NAME") {
			t.Errorf("at %d: %q", width, head)
		}
	}
	var b bytes.Buffer
	narrow := New(&b)
	narrow.Width = 24 // 9+3+5+3+6 are more
	table.Narrow(narrow, "NAMESPACE")
	if head := printed(table, 24)[0]; strings.Contains(head, "NAMESPACE") {
		t.Errorf("left in: %q", head)
	}
}

// A long word is broken after a sign rather than anywhere.
func TestLongWordsAreBrokenAtSigns(t *testing.T) {
	for text, want := range map[string][]string{
		"pinned by label io.cri-containerd.pinned=pinned": {"pinned by label", "io.cri-containerd.pinned=", "pinned"},
		"overlayfs/sha256:" + strings.Repeat("a", 30):     {"overlayfs/sha256:", strings.Repeat("a", 26), "aaaa"},
		"a/" + strings.Repeat("b", 40):                    {"a/" + strings.Repeat("b", 24), strings.Repeat("b", 16)},
	} {
		if diff := cmp.Diff(want, fold(text, 26)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}
