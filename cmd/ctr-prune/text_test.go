package main

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// shown is a document as it appears, on a terminal unless width is 0.
func shown(t *testing.T, doc prune.Document, width int, o outputOptions) string {
	t.Helper()
	f := newFake("")
	f.env(map[string]string{"NO_COLOR": "1"})
	if width > 0 {
		f.terminal(width, f.stdout)
	}
	v, err := viewOf(f.process, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.show(doc); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(f.out.String(), "\n") {
		if strings.Contains(o.format, `\t`) {
			line = strings.ReplaceAll(line, "\t", " ") // the template asks for it
		}
		if r, bad := terminaltest.Unprintable(line); bad {
			t.Errorf("%U reaches the output: %q", r, line)
		}
	}
	return f.out.String()
}

// viewOf is the view that the options ask for.
func viewOf(p process, o outputOptions) (*view, error) {
	output, err := newOutput(p, o, imageShape())
	return p.view(o, output), err
}

func TestViews(t *testing.T) {
	table := outputOptions{format: format.Table}
	for _, c := range []struct {
		file  string
		doc   prune.Document
		width int
		o     outputOptions
	}{
		{"plan.txt", planDoc(), 0, table},
		{"plan-80.txt", planDoc(), 80, table},
		{"plan-40.txt", planDoc(), 40, table},
		{"plan-80-no-trunc.txt", planDoc(), 80, outputOptions{format: format.Table, noTrunc: true}},
		{"report.txt", reportDoc(), 0, table},
		{"report-80.txt", reportDoc(), 80, table},
		{"plan-quiet.txt", planDoc(), 0, outputOptions{format: format.Table, quiet: true}},
		{"report-quiet.txt", reportDoc(), 0, outputOptions{format: format.Table, quiet: true}},
		{"plan.json", planDoc(), 0, outputOptions{format: format.JSON}},
		{"report.json", reportDoc(), 0, outputOptions{format: format.JSON}},
		{"report.jsonl", reportDoc(), 0, outputOptions{format: format.Lines}},
		{"report-table.txt", reportDoc(), 0, outputOptions{format: `table {{.Name}}\t{{.Result}}\t{{upper .Reason}}`}},
	} {
		t.Run(c.file, func(t *testing.T) { golden(t, c.file, shown(t, c.doc, c.width, c.o)) })
	}
}

func TestNothingToRemove(t *testing.T) {
	empty := prune.Document{Kind: prune.DocumentReport, Measured: true}
	for _, c := range []struct {
		name string
		edit func(*prune.Document)
		want string
	}{
		{"a namespace", func(d *prune.Document) { d.Policy.Namespaces = []string{"default"} },
			"Nothing to remove in namespace \"default\".\nTotal reclaimed space: 0B\n"},
		{"the default namespace that is not there", func(d *prune.Document) {
			d.Elsewhere = []prune.NamespaceCount{{Namespace: "k8s.io", Images: 12}, {Namespace: "moby", Images: 3}}
		}, "Nothing to remove in namespace \"default\", which does not exist. Other namespaces hold images: k8s.io (12), moby (3). " +
			"Choose one with -n, or --all-namespaces.\nTotal reclaimed space: 0B\n"},
		{"several", func(d *prune.Document) { d.Policy.Namespaces = []string{"a", "b"} },
			"Nothing to remove in namespaces \"a\", \"b\".\nTotal reclaimed space: 0B\n"},
		{"all", func(d *prune.Document) { d.Policy.Namespaces, d.Policy.AllNamespaces = []string{"a", "b"}, true },
			"Nothing to remove in any namespace.\nTotal reclaimed space: 0B\n"},
		{"only dangling ones considered", func(d *prune.Document) {
			d.Policy.Namespaces, d.Policy.Filters, d.Counts.Keep = []string{"a"}, []string{"dangling=true"}, 2
		}, "Nothing to remove in namespace \"a\".\nOnly dangling images were considered: --all takes the unused ones that have a name as well.\nTotal reclaimed space: 0B\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := empty
			c.edit(&doc)
			if got := shown(t, doc, 0, outputOptions{format: format.Table}); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// A plan does not promise a collection that doing it would not bring.
func TestGarbageOfAPlan(t *testing.T) {
	const way, left = "Garbage from before, collected on the way: 2 blobs, 7B.", "Garbage from before: 2 blobs, 7B; `ctr-prune check --repair` collects it."
	for want, edits := range map[string][]func(*prune.Document){
		left: {
			func(*prune.Document) {},
			func(d *prune.Document) { d.Uploads = []prune.Upload{{Action: prune.Keep}} },
			func(d *prune.Document) { d.Store.Kind, d.Policy.Namespaces = prune.StoreRoot, nil },
		},
		way: {
			func(d *prune.Document) { d.Counts.Remove = 1 },
			func(d *prune.Document) { d.Counts.StandIn = 1 },
			func(d *prune.Document) { d.Unfinished = []string{"a"} },
			func(d *prune.Document) { d.Uploads = []prune.Upload{{Action: prune.Remove}} },
			func(d *prune.Document) { d.Store.Kind = prune.StoreRoot },
		},
	} {
		for i, edit := range edits {
			doc := prune.Document{Kind: prune.DocumentPlan, Garbage: prune.Amount{Blobs: 2, TotalBytes: 7}}
			doc.Store.Kind, doc.Policy.Namespaces = prune.StoreDaemon, []string{"a"}
			edit(&doc)
			if got := shown(t, doc, 0, outputOptions{format: format.Table}); !strings.Contains(got, want+"\n") {
				t.Errorf("%d: want %s, got\n%s", i, want, got)
			}
		}
	}
}

func TestUnmeasuredIsNotCalledZero(t *testing.T) {
	doc := reportDoc()
	doc.Measured = false
	if got := shown(t, doc, 0, outputOptions{format: format.Table}); !strings.Contains(got, "Total reclaimed space: unknown") {
		t.Errorf("got\n%s", got)
	}
}

func TestHoldersAreFewUnlessAllAreAskedFor(t *testing.T) {
	doc := prune.Document{Kind: prune.DocumentReport, Measured: true}
	for _, holder := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		doc.Held = append(doc.Held, prune.Held{Namespace: "default", Digest: sum(holder), Bytes: 1000, Keeper: prune.Keeper{Holder: "image " + holder, HeldBy: heldBy("default", "image", holder)}})
	}
	got := shown(t, doc, 0, outputOptions{format: format.Table})
	if n := strings.Count(got, "Held: "); n != 5+1 || !strings.Contains(got, "Held: 2 blobs, 2kB by 2 others") {
		t.Errorf("%d lines:\n%s", n, got)
	}
	if got := shown(t, doc, 0, outputOptions{format: format.Table, noTrunc: true}); strings.Count(got, "Held: ") != 7 {
		t.Errorf("with --no-trunc:\n%s", got)
	}
}

// What a holder is called may read like more than a name: where it is, is told
// by its parts alone.
func TestHoldersThatReadLikeSentences(t *testing.T) {
	odd := `image "a\" in namespace \"other\"; b"`
	doc := prune.Document{Kind: prune.DocumentReport, Measured: true}
	doc.Policy.Namespaces = []string{"default", "mine"}
	doc.Held = []prune.Held{
		{Namespace: "default", Digest: sum("x"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd + ` in namespace "mine"`, HeldBy: heldBy("mine", "image", odd)}},
		{Namespace: "mine", Digest: sum("x"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd, HeldBy: heldBy("mine", "image", odd)}},
		{Namespace: "mine", Digest: sum("y"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd, HeldBy: heldBy("mine", "image", odd)}},
		{Namespace: "default", Digest: sum("z"), Bytes: 10, Keeper: prune.Keeper{Holder: odd, HeldBy: heldBy("default", "image", odd)}},
	}
	got := shown(t, doc, 0, outputOptions{format: format.Table})
	for _, want := range []string{"Held: mine: 2 blobs, 2kB by " + odd, "Held: default: 1 blob, 10B by " + odd} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("want %s, got\n%s", want, got)
		}
	}
	if strings.Count(got, "Held: ") != 2 {
		t.Errorf("got\n%s", got)
	}
}

func heldBy(namespace, kind, name string) prune.Object {
	return prune.Object{Namespace: namespace, Kind: kind, Name: name}
}
