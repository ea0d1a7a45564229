package htmlreport

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

var when = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// hostile are names that try to be more than names.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<!--<script>`, "a\u2028b\u2029c",
	"evil\u202egnp.exe", "esc\x1b[31m", "line\nbreak", "bad\xffutf8", `{{data}}`, `{{script}}`, `"]},"x":1`, strings.Repeat("n", 20000),
}

// namespaceOf has one image, of one blob.
func namespaceOf(namespace, name string, bytes int64) *prune.Namespace {
	target := digest.FromString(name)
	return &prune.Namespace{
		Name: namespace, Images: []images.Image{{Name: name, Target: ocispec.Descriptor{Digest: target}}},
		Blobs: map[digest.Digest]prune.Blob{target: {Size: bytes}},
	}
}

// usageOf has what a page would show of names that stand everywhere.
func usageOf(inv *prune.Inventory, name func(int) string) *prune.DiskUsage {
	plan, err := prune.NewPlan(inv, prune.Policy{AllNamespaces: true, Filters: filters.Everything()}, when)
	if err != nil {
		panic(err)
	}
	usage := prune.Usage(plan, true)
	for i := range usage.Objects {
		o := &usage.Objects[i]
		o.State, o.Holder = prune.StateHeld, name(i)
	}
	for i := range usage.Images {
		usage.Images[i].Reason = name(i)
	}
	return usage
}

// hostilePage has an image of each name, the names as reasons, and as holders.
func hostilePage() Page {
	inv := &prune.Inventory{Store: prune.StoreInfo{Location: hostile[0]}}
	doc := &prune.Document{Kind: prune.DocumentPlan, Time: when, Policy: prune.PolicyDocument{Namespaces: hostile}}
	for i, name := range hostile {
		doc.Errors = append(doc.Errors, prune.Cause{Reason: name})
		inv.Namespaces = append(inv.Namespaces, namespaceOf(name, name, 1<<(62-i)))
		doc.Images = append(doc.Images, prune.ImageDocument{
			Record: prune.Record{Namespace: name, Name: name, Target: digest.FromString(name)}, Action: prune.Keep, Cause: prune.Cause{Reason: name}, Details: []prune.Cause{{Reason: name}},
		})
	}
	usage := usageOf(inv, func(i int) string { return hostile[i] })
	return Page{Title: hostile[0], Usage: usage, Document: doc, Generated: when}
}

func written(t *testing.T, page Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// dataOf returns the part of the page that comes from a store, and the rest.
func dataOf(t *testing.T, page string) (data, rest string) {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatchIndex(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	return page[m[2]:m[3]], page[:m[2]] + page[m[3]:]
}

func TestNamesAreOnlyData(t *testing.T) {
	text, rest := dataOf(t, written(t, hostilePage()))
	var d data
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("the data is no JSON: %v", err)
	}
	if strings.ContainsAny(text, "<>&\u2028\u2029\u202e\x1b\n") {
		t.Error("the data has characters that mean something to a browser or an eye")
	}
	_, plain := dataOf(t, written(t, Page{Usage: &prune.DiskUsage{}, Generated: when}))
	if diff := cmp.Diff(plain, rest); diff != "" {
		t.Errorf("names changed the page around the data: %s", diff)
	}
	if len(d.Rows) != len(hostile) {
		t.Fatalf("%d rows", len(d.Rows))
	}
	for i, want := range map[int]string{4: `evil\u202egnp.exe`, 5: `esc\x1b[31m`, 6: `line\nbreak`, 7: `bad\xffutf8`, 8: `{{data}}`} {
		if got := d.Rows[i].Name; got != want {
			t.Errorf("name %q is shown as %q", hostile[i], got)
		}
	}
	if got := d.Rows[len(hostile)-1].Name; !strings.HasSuffix(got, "… (20000 characters in all)") || len(got) > 700 {
		t.Errorf("a long name is shown as %q", got)
	}
}

func TestSamePageSameBytes(t *testing.T) {
	first, second := written(t, hostilePage()), written(t, hostilePage())
	if first != second {
		t.Error("the same page was written in two ways")
	}
}

// TestPolicyNamesTheScripts checks that the hashes of the policy are those of
// what stands in the page, and that it allows nothing else.
func TestPolicyNamesTheScripts(t *testing.T) {
	page := written(t, hostilePage())
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("the page has no policy")
	}
	for _, loose := range []string{"unsafe", "*", "http", "blob:"} {
		if strings.Contains(policy[1], loose) {
			t.Errorf("the policy has %s", loose)
		}
	}
	blocks := regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(page, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d inline blocks", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(policy[1], source(block[2])) {
			t.Errorf("the policy does not allow this %s: %.60q", block[1], block[2])
		}
	}
	if !strings.Contains(page, "Permission to use, copy, modify") {
		t.Error("the library's licence is missing")
	}
}

// A page says which of its sizes are lower bounds.
func TestBoundsAreTold(t *testing.T) {
	page := hostilePage()
	page.Usage.Images[1].AtLeast, page.Usage.Objects[0].ImagesAtLeast = true, true
	for _, m := range build(page).Messages {
		if m.Title == "Lower bounds" && len(m.Lines) == 3 {
			return
		}
	}
	t.Error("the page does not say so")
}
