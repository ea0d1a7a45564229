package text

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// many is a plan that removes so many images.
func many(n int) prune.Document {
	doc := prune.Document{Kind: prune.DocumentPlan, Time: texttest.Now(), Policy: prune.PolicyDocument{Namespaces: []string{"default"}}}
	for i := range n {
		image := texttest.Img("default", fmt.Sprintf("image-%03d", i), prune.Remove, "unused")
		image.SizeBytes, image.FreesBytes, image.CreatedAt = int64(1000-i), int64(i), texttest.Now().Add(-time.Duration(i)*time.Hour)
		doc.Images = append(doc.Images, image)
		doc.Predicted.TotalBytes += int64(i)
	}
	doc.Counts = prune.Counts{Images: n, Remove: n}
	return doc
}

// names are those of a list in order.
func names(images []prune.ImageDocument) string {
	var all []string
	for _, i := range images {
		all = append(all, i.Name)
	}
	return strings.Join(all, " ")
}

// one is an image with several names.
func one(target string, action prune.Action, frees int64, names ...string) (images []prune.ImageDocument) {
	for i, name := range names {
		image := texttest.Img("default", name, action, "unused")
		image.Target, image.SizeBytes = texttest.Sum(target), 10*frees
		if i == 0 {
			image.FreesBytes = frees
		}
		images = append(images, image)
	}
	return images
}

// The names of an image are together, the one that people know best first, and what
// goes comes before what stays, whatever images are sorted by.
func TestOrdered(t *testing.T) {
	doc := append(one("a", prune.Remove, 1, "<none>@"+texttest.Sum("a").String(), "z:1", "z@"+texttest.Sum("a").String()), one("b", prune.Remove, 2, "y:1")...)
	doc = append(doc, one("c", prune.Keep, 0, "a:1")...)
	z := "z:1 z@" + texttest.Sum("a").String() + " <none>@" + texttest.Sum("a").String()
	for by, want := range map[string]string{
		"": "y:1 " + z + " a:1", "name": "y:1 " + z + " a:1", "-name": z + " y:1 a:1", "frees": "y:1 " + z + " a:1", "-frees": z + " y:1 a:1", "-size": z + " y:1 a:1",
	} {
		if got := names(Ordered(doc, by)); got != want {
			t.Errorf("by %q: %s, want %s", by, got, want)
		}
	}
	if got, want := names(First(Ordered(doc, "-name"), 1)), z; got != want {
		t.Errorf("the first: %s, want %s", got, want)
	}
}

// The question and the report name an image by the name that people know best, and
// how many more it has.
func TestAllNamesAreTold(t *testing.T) {
	doc := prune.Document{Kind: prune.DocumentPlan, Policy: prune.PolicyDocument{Namespaces: []string{"default"}}, Counts: prune.Counts{Images: 2, Remove: 2}}
	doc.Images = one("a", prune.Remove, 1000, "<none>@"+texttest.Sum("a").String(), "z:1")
	got := shown(t, 80, false, func(out *terminal.Printer) { Summary(out, doc, How{}) })
	if !strings.Contains(got, " z:1 (+1)\n") || strings.Contains(got, "<none>") {
		t.Errorf("got\n%s", got)
	}
}

// A table of the first images says what the others free, and a long report is summed
// up unless all of it is asked for.
func TestLongPlansAndReports(t *testing.T) {
	doc := many(120)
	got := shown(t, 80, false, func(out *terminal.Printer) { Document(out, doc, How{Sort: "frees", Top: 2}) })
	for _, want := range []string{"image-119", "image-118", "And 118 more images, of which FREES is 6.903kB."} {
		if !strings.Contains(got, want) || strings.Contains(got, "image-117") {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	doc.Kind = prune.DocumentReport
	for _, image := range doc.Images {
		doc.Untagged = append(doc.Untagged, image.Record)
		doc.Deleted = append(doc.Deleted, prune.DeletedDocument{Digest: image.Target})
	}
	got = shown(t, 80, false, func(out *terminal.Printer) { Document(out, doc, How{}) })
	if lines := strings.Count(got, "\n"); lines > 15 || !strings.Contains(got, "Untagged: 120 names of 120 images; --verbose lists them\n") ||
		!strings.Contains(got, "Deleted: 120 blobs; --verbose lists them\n") || !strings.Contains(got, "image-119") {
		t.Errorf("%d lines:\n%s", lines, got)
	}
	got = shown(t, 80, false, func(out *terminal.Printer) { Document(out, doc, How{Verbose: true}) })
	if n := strings.Count(got, "Untagged: image-") + strings.Count(got, "Deleted: sha256:"); n != 240 {
		t.Errorf("%d of 240 lines:\n%s", n, got)
	}
}

// What is freed and of no image is told, so that the column adds up.
func TestRestIsTold(t *testing.T) {
	doc := many(2)
	doc.RestBytes = 5000
	if got := shownDocument(t, doc); !strings.Contains(got, "Of that, 5kB is of no image that goes") {
		t.Errorf("got\n%s", got)
	}
}

// However narrow it gets, the column by which a plan is sorted stays.
func TestSortedColumnOfAPlanStays(t *testing.T) {
	for _, key := range []string{"created", "-size", "frees", "used"} {
		got := shown(t, 40, false, func(out *terminal.Printer) { Document(out, many(3), How{Sort: key}) })
		if title := strings.ToUpper(strings.TrimPrefix(key, "-")); !strings.Contains(got, title) {
			t.Errorf("sorted by %s there is no %s:\n%s", key, title, got)
		}
	}
}
