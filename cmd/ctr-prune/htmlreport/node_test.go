package htmlreport

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a node tells is text that prints, and changes nothing around it; it is the only
// difference between two answers with the same reading.
func TestNodeIsOnlyData(t *testing.T) {
	prepared, err := Prepare(hostilePage())
	if err != nil {
		t.Fatal(err)
	}
	with := func(n *Node) (data, rest string) {
		var b bytes.Buffer
		if err := prepared.Write(&b, n); err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`(?s)<script type="application/json" id="node-data">(.*?)</script>`).FindStringSubmatchIndex(b.String())
		if m == nil {
			t.Fatal("the page has no node")
		}
		return b.String()[m[2]:m[3]], b.String()[:m[2]] + b.String()[m[3]:]
	}
	none, plain := with(nil)
	if none != "null" {
		t.Errorf("without a node it says %s", none)
	}
	for _, name := range hostile {
		text, rest := with(&Node{Time: when, Why: name, Problems: []string{name}, Disks: []Disk{{Name: name, Unseen: name}}, Runs: []NodeRun{{Name: name, Trigger: name, Result: name, Error: name}}})
		var n Node
		if err := json.Unmarshal([]byte(text), &n); err != nil || strings.ContainsAny(text, "<>&\u2028\u2029\u202e\x1b\n") {
			t.Errorf("%q: the node is %q, %v", name, text, err)
		}
		if diff := cmp.Diff(plain, rest); diff != "" {
			t.Errorf("%q changed the page: %s", name, diff)
		}
	}
}

// A page about a node alone has no store.
func TestNodeAlone(t *testing.T) {
	if _, err := Prepare(Page{}); err == nil {
		t.Error("an empty page was made")
	}
	page := written(t, Page{Node: &Node{Why: "it is starting", Time: when}, Generated: when})
	if data, _ := dataOf(t, page); !strings.Contains(data, `"kind":"node"`) || strings.Contains(data, `"cards":null`) {
		t.Errorf("the data is %s", data)
	}
}
