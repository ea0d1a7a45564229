package htmlreport

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The seeds are in testdata/fuzz. To look for more:
// go test -fuzz FuzzPage ./cmd/ctr-prune/htmlreport

// outline is what a browser makes of a page, but for the data block: elements
// with their attributes, and texts.
func outline(t *testing.T, page string) (lines []string, data string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		line := n.Data
		for _, a := range n.Attr {
			line += " " + a.Key + "=" + a.Val
		}
		if n.Type == html.TextNode && isData(n.Parent) {
			data, line = n.Data, ""
		}
		lines = append(lines, line)
	}
	return lines, data
}

// isData says whether an element is the block that holds the data.
func isData(n *html.Node) bool {
	return slices.Contains(n.Attr, html.Attribute{Key: "id", Val: "data"})
}

// Whatever the names in a store are, the page has the elements that it always
// has, and they stand in the data as text that prints.
func FuzzPage(f *testing.F) {
	var plain []string // made once: a page is large
	f.Fuzz(func(t *testing.T, name, reason, namespace string) {
		page := func(name, reason, namespace string) string {
			inv := &prune.Inventory{Store: prune.StoreInfo{Location: name}, Namespaces: []*prune.Namespace{namespaceOf(namespace, name, 1<<62)}}
			usage := usageOf(inv, func(int) string { return reason })
			doc := &prune.Document{Kind: prune.DocumentPlan, Time: when, Errors: []prune.Cause{{Reason: reason}}, Notes: []prune.Cause{{Reason: name}}}
			doc.Images = []prune.ImageDocument{{Record: prune.Record{Namespace: namespace, Name: name, Target: usage.Images[0].Target}, Action: prune.Keep, Cause: prune.Cause{Reason: reason}}}
			return written(t, Page{Title: "t", Usage: usage, Document: doc, Generated: when})
		}
		if plain == nil {
			plain, _ = outline(t, page("a", "b", "c"))
		}
		got, text := outline(t, page(name, reason, namespace))
		if diff := cmp.Diff(plain, got); diff != "" {
			t.Errorf("names changed the page: %s", diff)
		}
		var d data
		if err := json.Unmarshal([]byte(text), &d); err != nil || !utf8.ValidString(text) || strings.ContainsAny(text, "<>&\x1b\u202e\u2028\n") {
			t.Errorf("the data is %q: %v", text, err)
		}
	})
}
