package text

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

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
		}, "Nothing to remove in namespace \"a\".\nOnly dangling images were considered; --all also removes unused images that have a name.\nTotal reclaimed space: 0B\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := empty
			c.edit(&doc)
			if got := shownDocument(t, doc); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// A plan does not promise a collection that doing it would not bring.
func TestGarbageOfAPlan(t *testing.T) {
	const way, left = "Existing garbage, collected as well: 2 blobs, 7B.", "Existing garbage: 2 blobs, 7B; `ctr-prune check --repair` collects it."
	const later = "Existing garbage: 2 blobs, 7B; with a grace period the run collects nothing, but containerd itself does so soon after it."
	const stays = "Existing garbage: 2 blobs, 7B; with a grace period the run collects nothing, so it stays until containerd is started, or until `ctr-prune check --repair`."
	grace := &prune.Grace{Until: texttest.Now()}
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
			func(d *prune.Document) { d.Grace, d.Uploads = grace, []prune.Upload{{Action: prune.Remove}} },
			func(d *prune.Document) { d.Grace, d.Store.Kind = grace, prune.StoreRoot },
		},
		later: {func(d *prune.Document) { d.Grace, d.Counts.Remove = grace, 1 }},
		stays: {func(d *prune.Document) { d.Grace, d.Counts.Remove, d.Store.Kind = grace, 1, prune.StoreRoot }},
	} {
		for i, edit := range edits {
			doc := prune.Document{Kind: prune.DocumentPlan, Garbage: prune.Amount{Blobs: 2, TotalBytes: 7}}
			doc.Store.Kind, doc.Policy.Namespaces = prune.StoreDaemon, []string{"a"}
			edit(&doc)
			if got := shownDocument(t, doc); !strings.Contains(got, want+"\n") {
				t.Errorf("%d: want %s, got\n%s", i, want, got)
			}
		}
	}
}

func TestUnmeasuredIsNotCalledZero(t *testing.T) {
	doc := texttest.Report()
	doc.Measured = false
	if got := shownDocument(t, doc); !strings.Contains(got, "Total reclaimed space: unknown") {
		t.Errorf("got\n%s", got)
	}
}

func TestHoldersAreFewUnlessAllAreAskedFor(t *testing.T) {
	doc := prune.Document{Kind: prune.DocumentReport, Measured: true}
	for _, holder := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		doc.Held = append(doc.Held, prune.Held{Namespace: "default", Digest: texttest.Sum(holder), Bytes: 1000, Keeper: prune.Keeper{Holder: "image " + holder, HeldBy: texttest.HeldBy("default", "image", holder)}})
	}
	got := shownDocument(t, doc)
	if n := strings.Count(got, "Held: "); n != 5+1 || !strings.Contains(got, "Held: 2 blobs, 2kB by 2 others") {
		t.Errorf("%d lines:\n%s", n, got)
	}
	if got := shown(t, 0, true, func(out *terminal.Printer) { Document(out, doc, How{}) }); strings.Count(got, "Held: ") != 7 {
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
		{Namespace: "default", Digest: texttest.Sum("x"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd + ` in namespace "mine"`, HeldBy: texttest.HeldBy("mine", "image", odd)}},
		{Namespace: "mine", Digest: texttest.Sum("x"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd, HeldBy: texttest.HeldBy("mine", "image", odd)}},
		{Namespace: "mine", Digest: texttest.Sum("y"), Bytes: 1000, Keeper: prune.Keeper{Holder: odd, HeldBy: texttest.HeldBy("mine", "image", odd)}},
		{Namespace: "default", Digest: texttest.Sum("z"), Bytes: 10, Keeper: prune.Keeper{Holder: odd, HeldBy: texttest.HeldBy("default", "image", odd)}},
	}
	got := shownDocument(t, doc)
	for _, want := range []string{"Held: mine: 2 blobs, 2kB by " + odd, "Held: default: 1 blob, 10B by " + odd} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("want %s, got\n%s", want, got)
		}
	}
	if strings.Count(got, "Held: ") != 2 {
		t.Errorf("got\n%s", got)
	}
}

// A pattern that matches nothing is answered with the narrowest one that was possibly meant.
func TestPatternThatWasMeant(t *testing.T) {
	doc := prune.Document{Images: []prune.ImageDocument{
		{Record: prune.Record{Name: "docker.io/library/nginx:1.27"}}, {Record: prune.Record{Name: "ghcr.io/acme/tools/api:1"}}, {Record: prune.Record{Name: "registry.example.com:5000/app:1"}},
	}}
	for pattern, want := range map[string]string{
		"api*":                  "; * does not cross /: try '*/*/*/api*'.",
		"api":                   "; names begin with a registry and a path: try '*/*/*/api'.",
		"docker.io/*":           "; * does not cross /: try 'docker.io/*/*'.",
		"ghcr.io/*":             "; * does not cross /: try 'ghcr.io/*/*/*'.",
		"ghcr.io/api":           "; names begin with a registry and a path: try 'ghcr.io/*/*/api'.",
		"docker.io/library/ngi": "; a pattern is for whole names: try 'docker.io/library/ngi*'.",
		"quay.io/*":             ".",
		"api*,quay.io/*":        ".",
	} {
		if got := unmatched(doc, "reference="+pattern); got != "No image matches reference="+pattern+want {
			t.Errorf("%s: %s", pattern, got)
		}
	}
	if got := unmatched(doc, "reference=nginx"); got != "" {
		t.Errorf("of what matches it says %s", got)
	}
}
