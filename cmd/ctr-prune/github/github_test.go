package github

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		remark Remark
		want   string
	}{
		{Remark{Level: Notice, Text: "Removed 2."}, "::notice title=ctr-prune::Removed 2.\n"},
		{Remark{Level: Warning, Title: "a: b, c%\r\n::error::d", Text: "e: f, g"}, "::warning title=a%3A b%2C c%25\\r\\n%3A%3Aerror%3A%3Ad::e: f, g\n"},
		{Remark{Level: Error, Text: "x", File: "a,b: c.yaml", Line: 3, Column: 5}, "::error file=a%2Cb%3A c.yaml,line=3,col=5,title=ctr-prune::x\n"},
		{Remark{Level: Error, Text: "100%\n::warning::x\x1b[31m"}, "::error title=ctr-prune::100%25\\n::warning::x\\x1b[31m\n"},
	} {
		if got := c.remark.Command(); got != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", c.remark, got, c.want)
		}
	}
}

// GitHub shows ten annotations of each level, and none of the others.
func TestShown(t *testing.T) {
	remarks := func(level Level, n int) (all []Remark) {
		for range n {
			all = append(all, Remark{Level: level, Text: "x"})
		}
		return all
	}
	if got := Shown(append(remarks(Notice, 10), remarks(Warning, 3)...)); len(got) != 13 {
		t.Errorf("of 13 that are shown %d are left", len(got))
	}
	got := Shown(append(remarks(Notice, 12), remarks(Error, 1)...))
	if len(got) != 11 || got[9].Text != "and 3 more notices, see the summary of the step" || got[10].Level != Error {
		t.Errorf("of 12: %+v", got)
	}
}

// No line of the log is a command of the runner.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Untagged: a::b\n":     "Untagged: a::b\n",
		"::error::x\n":         "\\x3a:error::x\n",
		"  ::set-output::\ny":  "  \\x3a:set-output::\ny",
		"name ##[error]x ##[]": "name ##\\x5berror]x ##\\x5b]",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	long, err := terminal.New(nil).InMarkdown(func(out *terminal.Printer) {
		for range mostSummary / 8 {
			out.Line("<b>&")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := Summary([]Remark{{Level: Notice, Text: "Removed 2."}, {Level: Warning, Title: "no such", Text: "@me <b>"}}, long)
	for _, want := range []string{"### ctr-prune: Removed 2.\n", "- **Warning:** no such: `@me` `<b>`\n", "<details><summary>", "&lt;b&gt;&amp;\n</pre>\n\nThe rest is in the log", "</details>\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got[:300])
		}
	}
	if len(got) > 1<<20 {
		t.Errorf("a summary of %d bytes is not shown", len(got))
	}
	if short := Summary(nil, "x\n"); !strings.Contains(short, "<details open>") {
		t.Errorf("a short text is hidden: %s", short)
	}
}

// What the runner gives is appended to, and a link is not followed.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	env := map[string]string{"GITHUB_STEP_SUMMARY": at("summary"), "GITHUB_OUTPUT": at("output")}
	f := FilesOf(func(name string) string { return env[name] })
	for _, err := range []error{
		os.WriteFile(at("summary"), []byte("before\n"), 0o600), f.Check(), f.AddSummary("after\n"),
		f.AddOutputs([]Figure{{Name: "removed", Value: 2}, {Name: "reclaimed-bytes", Value: 1 << 40}}), os.Symlink("summary", at("link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"summary": "before\nafter\n", "output": "removed=2\nreclaimed-bytes=1099511627776\n"} {
		if b, err := os.ReadFile(at(name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v; want %q", name, b, err, want)
		}
	}
	env["GITHUB_STEP_SUMMARY"] = at("link")
	if err := FilesOf(func(name string) string { return env[name] }).Check(); err == nil || !strings.Contains(err.Error(), "$GITHUB_STEP_SUMMARY") {
		t.Errorf("a link is followed: %v", err)
	}
	if err := (Files{}).Check(); err != nil {
		t.Errorf("without files: %v", err)
	}
}

func TestAsked(t *testing.T) {
	for line, want := range map[string]bool{
		"-a --format github": true, "df --format=github -n x": true, "--untill 3 --format github": true,
		"-a": false, "--format json": false, "--format": false, "-- --format github": false, "github": false,
	} {
		if got := Asked(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
