package gc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Older collectors know fewer rules. There is no old one in this process:
// these rows repeat what its source says, and the daemons of the integration
// tests hold them.
func TestCollectorsRulesByVersion(t *testing.T) {
	things := map[string][]tw.Thing{
		"a reference to a record":         {tw.Blob("a", tw.GCRoot(), tw.RefImage("i")), tw.Record("i", "b", tw.Expiring(tw.Earlier))},
		"an expired record":               {tw.Record("i", "a", tw.Expiring(tw.Earlier))},
		"a lease of an expired record":    {tw.Record("i", "a", tw.Expiring(tw.Earlier)), tw.Lease("l", tw.Holding(tw.TheRecord("i")))},
		"a back reference":                {tw.Blob("a", tw.GCRoot()), tw.Blob("b", tw.BackContent("a"))},
		"a back reference to a container": {tw.Blob("b", tw.BackContainer("c")), tw.Container("c", "", "")},
		"a condition":                     condition("usedat<10h", "a", "s"),
		"a plain reference":               {tw.Blob("a", tw.GCRoot(), tw.RefContent("b"))},
		"a root label with an ending":     {tw.Blob("a", tw.Labelled("containerd.io/gc.root.mine", "yes"))},
		"a flat lease":                    {tw.Blob("a", tw.RefContent("b")), tw.Lease("l", tw.Flat(), tw.Holding(tw.TheBlob("a")))},
	}
	// Expired records of old servers stay for ever, and with them their images.
	want := map[string]map[string]string{
		"1.6.39": {
			"a reference to a record": "a b", "an expired record": "a", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "",
		},
		"1.7.35": {
			"a reference to a record": "a b", "an expired record": "a", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "",
		},
		"2.1.4": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "",
		},
		"v2.2.0": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "a",
		},
		"2.3.0-beta.1": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a s", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "a",
		},
		"unknown": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a s", "a plain reference": "a b", "a flat lease": "a", "a root label with an ending": "a",
		},
	}
	for version, rows := range want {
		for name, left := range rows {
			inv := tw.World{"default": withDefaults(things[name])}.Inventory()
			inv.Store.Version = version
			after := gc.NewCollector(inv, tw.Started).Reach(gc.Change{})
			got := ""
			for _, n := range []graph.Node{
				{Kind: graph.KindContent, Namespace: "default", Key: tw.Digest("a").String()}, {Kind: graph.KindContent, Namespace: "default", Key: tw.Digest("b").String()},
				{Kind: graph.KindSnapshot, Namespace: "default", Key: "memory/s"},
			} {
				if after.Holds(n) {
					got += " " + map[string]string{tw.Digest("a").String(): "a", tw.Digest("b").String(): "b", "memory/s": "s"}[n.Key]
				}
			}
			if diff := cmp.Diff(left, strings.TrimSpace(got)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", version, name, diff)
			}
		}
	}
}

func TestParseVersion(t *testing.T) {
	newest := gc.Release{Major: 1 << 30, Minor: 0}
	for text, want := range map[string]gc.Release{
		"2.4.2": {Major: 2, Minor: 4}, "v2.4.2": {Major: 2, Minor: 4}, "1.7.35+ds1": {Major: 1, Minor: 7}, "2.0": {Major: 2, Minor: 0}, "2.3.0-rc.1": {Major: 2, Minor: 3}, "1.6.39~ds1-1+deb12u1": {Major: 1, Minor: 6}, "2.10x": {Major: 2, Minor: 10},
		"": newest, "dev": newest, "0.0.0+unknown": newest, "2": newest, "2.": newest, "x.4": newest, "-2.4": newest,
	} {
		if got := gc.ParseVersion(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
