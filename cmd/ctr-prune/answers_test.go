package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A command line that cannot be used is refused in one sentence before any
// store is looked at.
func TestBadCommandLinesOfTheOthers(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"explain", "give one thing to explain"},
		{"explain a b", "give one thing to explain"},
		{"explain a --format {{.Nme}}", "there is no field .Nme: did you mean .Name? the explanation has .Kind, .Namespace, .Name"},
		{"df --sort colour", "choose one of content, created, name"},
		{"df --filter colour=red", "has an unknown key"},
		{"df --filter size", "has no value"},
		{"df --filter size=big", "--filter size=big: "},
		{"df --filter unused=perhaps", "neither true nor false"},
		{"df --filter until=72", "type 72h for hours"},
		{"df --filter reference=[", "is not a pattern"},
		{"df --format {{.Nme}}", "there is no field .Nme: did you mean .Name? an image has .Namespace, .Name"},
		{"df --format yaml", `--format "yaml" is unknown`},
		{"df -q --format json", "contradict each other"},
		{"df --html -", "--html needs a file"},
		{"df x", "takes none"},
		{"plan --output=", "--output is empty"},
		{"apply", "give one plan file"},
		{"leases nginx", `unexpected argument "nginx": ctr-prune leases takes a command or none`},
		{"runs drpo", "did you mean drop?"},
		{"apply -", "the plan comes from stdin"},
		{"apply -f /no/such/plan.json", "the plan cannot be read"},
		{"runs drop", "name the run"},
		{"runs --format {{.X}}", "a run has .Run, .Started"},
		{"undo a b", "name one run"},
		{"leases --format {{.X}}", "a lease has .Namespace, .ID"},
		{"--dry-run --ingests=23h", "24h or more"},
		{"--dry-run --ingests=soon", "--ingests=soon: "},
		{"--dry-run --grace soon", "--grace=soon: "},
		{"--dry-run --grace 0s", "above zero"},
		{"--dry-run --max-stall=-1s", "give one such as 250ms, or none for no limit"},
		{"--dry-run --max-stall never", "give one such as 250ms, or none for no limit"},
		{"--dry-run --html -", "--html needs a file"},
	} {
		f := newFake("")
		f.env(map[string]string{envAddress: "/nowhere/c.sock"})
		code := f.main(strings.Fields(c.args)...)
		got := f.err.String()
		if code != exitUsage || !strings.Contains(got, c.want) || strings.Count(got, "\n") != 1 || f.out.Len() > 0 {
			t.Errorf("%s: exit code %d: %q, stdout %q", c.args, code, got, f.out)
		}
	}
}

func TestColourOnlyOnATerminal(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"a terminal", true, nil, true}, {"a pipe", false, nil, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, false}, {"a dumb terminal", true, map[string]string{"TERM": "dumb"}, false},
	} {
		f := newFake("")
		f.env(c.env)
		if c.terminal {
			f.terminal(80, f.stdout)
		}
		out := f.printer(f.stdout)
		text.Usage(out, texttest.Usage(), texttest.Now(), "unique")
		text.Explanation(out, texttest.Explanation(), texttest.Now())
		if err := out.Flush(); err != nil || strings.Contains(f.out.String(), "\x1b[") != c.want {
			t.Errorf("%s: %v, colours: %v", c.name, err, !c.want)
		}
	}
}

func TestChoosingImages(t *testing.T) {
	images := []prune.ImageUsage{
		{Names: []string{"docker.io/library/b:1"}, UniqueBytes: 5, Amount: prune.Amount{TotalBytes: 10}, CreatedAt: texttest.Now(), Unused: true},
		{Names: []string{"docker.io/library/a:1", "ghcr.io/x/y:1"}, UniqueBytes: 7, Amount: prune.Amount{TotalBytes: 9}, CreatedAt: texttest.Now().Add(-72 * time.Hour)},
		{Names: []string{"docker.io/library/c:1"}, UniqueBytes: 6, Amount: prune.Amount{TotalBytes: 11}},
	}
	for _, c := range []struct {
		sort    string
		filters []string
		want    string
	}{
		{"unique", nil, "a c b"}, {"-unique", nil, "b c a"}, {"size", nil, "c b a"}, {"name", nil, "a b c"}, {"-name", nil, "c b a"},
		{"created", nil, "c a b"}, {"name", []string{"unused=true"}, "b"}, {"name", []string{"unused!=true"}, "a c"},
		{"name", []string{"reference=ghcr.io/*/*"}, "a"}, {"name", []string{"until=48h"}, "a"},
		{"name", []string{"size=10B", "unique=6B"}, "c"}, {"name", []string{"size!=10B"}, "a"},
	} {
		choose, err := (&usageOptions{sort: c.sort, filters: c.filters}).chooser(texttest.Now())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range choose(images) {
			got = append(got, i.Names[0][len("docker.io/library/"):len("docker.io/library/")+1])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %q: %q, want %s", c.sort, c.filters, got, c.want)
		}
	}
}

// No filter leaves an image out for a size of which only a bound is known.
func TestFiltersOnBounds(t *testing.T) {
	images := texttest.Usage().Images[:1]
	images[0].AtLeast = true
	for filter, want := range map[string]int{"size=1GB": 1, "size!=1GB": 1, "size=1MB": 1, "size!=1MB": 0, "unique=1GB": 0, "unused=false": 0} {
		choose, err := (&usageOptions{sort: "size", filters: []string{filter}}).chooser(texttest.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(choose(images)); got != want {
			t.Errorf("%s chooses %d images, want %d", filter, got, want)
		}
	}
}

// What was told while a run lasted is not told again at its end.
func TestLinesDuringARun(t *testing.T) {
	f := newFake("")
	v, err := viewOf(f.process, outputOptions{format: format.Lines})
	if err != nil {
		t.Fatal(err)
	}
	lines, report := v.live, texttest.Report()
	lines.progress(prune.Progress{Stage: prune.StageRead, Done: 1})
	lines.progress(prune.Progress{Stage: prune.StageRead, Done: 2})
	lines.begin(texttest.Plan())
	lines.happened(prune.Event{Untagged: report.Untagged[0]})
	if got := f.out.String(); strings.Count(got, "\n") != 1+len(report.Images)+1 {
		t.Errorf("during the run:\n%s", got)
	}
	if err := v.show(report); err != nil {
		t.Fatal(err)
	}
	got := f.out.String()
	for kind, want := range map[string]int{"stage": 1, "image": len(report.Images), "untagged": len(report.Untagged), "summary": 1} {
		if n := strings.Count(got, `{"type":"`+kind+`"`); n != want {
			t.Errorf("%d lines of type %s, want %d:\n%s", n, kind, want, got)
		}
	}
}
