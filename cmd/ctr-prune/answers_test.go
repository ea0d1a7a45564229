package main

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A command line that cannot be used is refused in one sentence before any
// store is looked at.
func TestBadCommandLinesOfTheOthers(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"explain", "give one thing to explain"},
		{"explain a b", "give one thing to explain"},
		{"explain a --format {{.Nme}}", "there is no field .Nme; the explanation has .Kind, .Namespace, .Name"},
		{"df --sort colour", "choose one of content, created, name"},
		{"df --filter colour=red", "has an unknown key"},
		{"df --filter size", "has no value"},
		{"df --filter size=big", "--filter size=big: "},
		{"df --filter unused=perhaps", "neither true nor false"},
		{"df --filter until=72", "type 72h for hours"},
		{"df --filter reference=[", "is not a pattern"},
		{"df --format {{.Nme}}", "there is no field .Nme; an image has .Namespace, .Name"},
		{"df --format yaml", `--format "yaml" is unknown`},
		{"df -q --format json", "contradict each other"},
		{"df --html -", "--html needs a file"},
		{"df x", "takes none"},
		{"plan --output=", "--output is empty"},
		{"plan x", "takes none"},
		{"apply", "give one plan file"},
		{"leases nginx", `unexpected argument "nginx": ctr-prune leases takes a command or none`},
		{"runs drpo", "did you mean drop?"},
		{"apply -", "the plan comes from stdin"},
		{"apply -f /no/such/plan.json", "the plan cannot be read"},
		{"runs drop", "name the run"},
		{"runs drop x", "--force"},
		{"runs --format {{.X}}", "a run has .Run, .Started"},
		{"undo a b", "name one run"},
		{"leases prune", "--force"},
		{"leases --format {{.X}}", "a lease has .Namespace, .ID"},
		{"--dry-run --ingests=23h", "24h or more"},
		{"--dry-run --ingests=soon", "--ingests=soon: "},
		{"--dry-run --grace soon", "--grace=soon: "},
		{"--dry-run --grace 0s", "above zero"},
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

func explanationDoc() *prune.Explanation {
	obj := func(kind, ns, name string) prune.Object { return prune.Object{Kind: kind, Namespace: ns, Name: name} }
	target := sum("target").String()
	return &prune.Explanation{
		Object: obj("image", "default", evil), Target: digest.Digest(target), CreatedAt: fixedNow(),
		UsedBy: []string{"container web (nerdctl)"},
		Chains: [][]prune.Object{
			{obj("image", "default", evil), obj("content", "default", target)},
			{obj("image", "default", "docker.io/library/other:1"), obj("content", "default", target)},
			{obj("lease", "other", "pull\x1b[2J"), obj("content", "other", sum("index").String()), obj("content", "default", target)},
		},
		MoreChains: 3,
		Holds:      prune.Amount{Blobs: 4, Snapshots: 2, ContentBytes: 1_000_000, SnapshotBytes: 2_000_000, TotalBytes: 3_000_000},
		Frees:      prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Parts: []prune.Part{{Kind: prune.KindIndex, Name: target, Bytes: 500, Parts: []prune.Part{
			{Kind: prune.KindManifest, Name: sum("m").String(), Bytes: 400, Parts: []prune.Part{
				{Kind: prune.KindConfig, Name: sum("c").String(), Bytes: 300, Parts: []prune.Part{
					{Kind: prune.KindSnapshot, Layer: 1, Name: "native/" + sum("s").String(), Bytes: 2_000_000, Shared: true},
				}},
				{Kind: prune.KindLayer, Layer: 1, Name: sum("l").String(), Bytes: 999_000, Shared: true},
				{Kind: prune.KindLayer, Layer: 2, Name: sum("l2").String(), Missing: true},
			}},
			{Kind: prune.KindManifest, Name: sum("m2").String(), Missing: true},
		}, MoreParts: 2}},
		Decisions: []prune.ImageDocument{img("default", evil, prune.Keep, "in use by container web (nerdctl)")},
	}
}

func usageDoc() *prune.DiskUsage {
	amount := prune.Amount{Blobs: 3, Snapshots: 2, ContentBytes: 12_000_000, SnapshotBytes: 30_000_000, TotalBytes: 42_000_000}
	return &prune.DiskUsage{
		Total: amount, IngestBytes: 5000, Reclaimable: prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Holders: []prune.HolderUsage{{Class: prune.HeldByImages, Amount: amount}, {Class: prune.HeldByNothing, Amount: prune.Amount{Blobs: 1}}, {Class: prune.HeldByGrace}},
		Namespaces: []prune.NamespaceUsage{
			{Name: "default", Images: 2, Containers: 1, Amount: amount, UniqueBytes: 10, ReclaimableBytes: 1000},
			{Name: "k8s.io", Images: 12, Amount: amount},
		},
		Images: []prune.ImageUsage{
			{Namespace: "default", Names: []string{evil, "b"}, Target: sum("t"), CreatedAt: fixedNow().Add(-50 * time.Hour), Amount: amount, SharedBytes: 41_000_000, UniqueBytes: 1_000_000, Unused: true, ReclaimableBytes: 1_000_000, Cause: prune.Cause{Reason: "unused"}},
			{Namespace: "k8s.io", Names: []string{"registry.k8s.io/a/very/long/repository/of/an/image:v1.2.3"}, Amount: amount, Cause: prune.Cause{Reason: "in use by container web (nerdctl)"}},
		},
		Objects: []prune.ObjectUsage{
			{Namespaces: []string{"default", "k8s.io"}, Digest: sum("l"), Kind: prune.KindLayer, Layer: 1, Bytes: 12_000_000, State: prune.StateShared, Images: 2, Class: prune.HeldByImages, Keeper: prune.Keeper{Holder: "image \"" + evil + "\""}},
			{Namespaces: []string{"default"}, Snapshot: "native/" + sum("s").String(), Kind: prune.KindSnapshot, Layer: 1, Bytes: 7, State: prune.StateGarbage, Class: prune.HeldByNothing},
		},
	}
}

func leasesDoc() []prune.LeaseInfo {
	return []prune.LeaseInfo{
		{Namespace: "default", ID: "pull\x1b[2J", Kind: leases.KindPull, CreatedAt: fixedNow().Add(-time.Hour), Expires: fixedNow().Add(23 * time.Hour), Resources: 3, Alone: prune.Amount{TotalBytes: 1000}, Action: prune.Keep, Cause: prune.Cause{Reason: "a pull or build in progress, or one that was interrupted; it expires by itself"}},
		{Namespace: "buildkit", ID: "abcdefghijklmnopqrstuvwxyz", Kind: leases.KindCache, Flat: true, Action: prune.Remove, Cause: prune.Cause{Reason: "expired"}},
	}
}

// Nothing wider than the terminal, nothing raw, at every width.
func TestAnswersFitTheTerminal(t *testing.T) {
	for name, show := range map[string]func(*terminal.Printer){
		"explain": func(out *terminal.Printer) { text.Explanation(out, explanationDoc()) },
		"df":      func(out *terminal.Printer) { text.Usage(out, usageDoc(), fixedNow()) },
		"leases":  func(out *terminal.Printer) { text.Leases(out, leasesDoc(), fixedNow()) },
		"runs": func(out *terminal.Printer) {
			text.Runs(out, []prune.Run{{Name: "20260301-120000-abcdef", Started: fixedNow(), Until: fixedNow().Add(24 * time.Hour), Namespaces: []string{"default", "k8s.io"}, Records: make([]prune.Record, 3)}}, fixedNow())
		},
	} {
		for _, width := range []int{0, 40, 80, 200} {
			f := newFake("")
			f.env(map[string]string{"NO_COLOR": "1"})
			f.terminal(width, f.stdout)
			if width == 0 {
				f.terminal(0)
			}
			out := f.printer(f.stdout)
			show(out)
			if err := out.Flush(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(f.out.String(), "\n") {
				if r, bad := terminaltest.Unprintable(line); bad {
					t.Errorf("%s: %U reaches the output: %q", name, r, line)
				}
				if n := len([]rune(line)); width > 0 && n > width {
					t.Errorf("%s at %d columns has a line of %d: %q", name, width, n, line)
				}
			}
			if width == 80 || width == 0 && name == "explain" {
				golden(t, name+map[int]string{0: "", 80: "-80"}[width]+".txt", f.out.String())
			}
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
		text.Usage(out, usageDoc(), fixedNow())
		text.Explanation(out, explanationDoc())
		if err := out.Flush(); err != nil || strings.Contains(f.out.String(), "\x1b[") != c.want {
			t.Errorf("%s: %v, colours: %v", c.name, err, !c.want)
		}
	}
}

func TestChoosingImages(t *testing.T) {
	images := []prune.ImageUsage{
		{Names: []string{"docker.io/library/b:1"}, UniqueBytes: 5, Amount: prune.Amount{TotalBytes: 10}, CreatedAt: fixedNow(), Unused: true},
		{Names: []string{"docker.io/library/a:1", "ghcr.io/x/y:1"}, UniqueBytes: 7, Amount: prune.Amount{TotalBytes: 9}, CreatedAt: fixedNow().Add(-72 * time.Hour)},
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
		choose, err := (&usageOptions{sort: c.sort, filters: c.filters}).chooser(fixedNow())
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

// What was told while a run lasted is not told again at its end.
func TestLinesDuringARun(t *testing.T) {
	f := newFake("")
	v, err := viewOf(f.process, outputOptions{format: format.Lines})
	if err != nil {
		t.Fatal(err)
	}
	lines, report := v.live, reportDoc()
	lines.progress(prune.Progress{Stage: prune.StageRead, Done: 1})
	lines.progress(prune.Progress{Stage: prune.StageRead, Done: 2})
	lines.begin(planDoc())
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
