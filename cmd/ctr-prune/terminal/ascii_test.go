package terminal

import (
	"strings"
	"testing"
)

// Where the locale has no UTF-8 nothing else than ASCII is shown, and tables keep their
// width.
func TestOnlyASCII(t *testing.T) {
	var b strings.Builder
	out := New(&b)
	out.ASCII, out.Width = true, 30
	table := Table{Columns: []Column{{Title: "NAME", Least: 10, Middle: true}, {Title: "SIZE", Right: true}}}
	table.Add("docker.io/library/a-long-name-é:1", SizeAtLeast(5, true))
	table.Add("b", "12kB")
	table.Print(out)
	out.Tree([]Branch{{Text: "one", Below: []Branch{{Text: "two…"}}}, {Text: "three"}})
	out.Line("%s", "日本")
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `NAME                      SIZE
docker.io/l..e-\u00e9:1   >=5B
b                         12kB
  |- one
  |  ` + "`" + `- two..
  ` + "`" + `- three
\u65e5\u672c
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestLocales(t *testing.T) {
	for want, all := range map[bool][]map[string]string{
		true:  {{}, {"LANG": "en_US.UTF-8"}, {"LC_ALL": "C.utf8", "LANG": "C"}, {"LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}},
		false: {{"LANG": "C"}, {"LANG": "de_DE.ISO-8859-1"}, {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}},
	} {
		for _, env := range all {
			if got := UTF8(func(name string) string { return env[name] }); got != want {
				t.Errorf("%v: %v", env, got)
			}
		}
	}
}
