package prune

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Older collectors know fewer rules. There is no old one in this process:
// these rows repeat what its source says, and the daemons of the integration
// tests hold them.
func TestCollectorsRulesByVersion(t *testing.T) {
	things := map[string][]thing{
		"a reference to a record":         {blob("a", root(), refImage("i")), record("i", "b", expiring(earlier))},
		"an expired record":               {record("i", "a", expiring(earlier))},
		"a lease of an expired record":    {record("i", "a", expiring(earlier)), lease("l", holding(theRecord("i")))},
		"a back reference":                {blob("a", root()), blob("b", backContent("a"))},
		"a back reference to a container": {blob("b", backContainer("c")), container("c", "", "")},
		"a condition":                     condition("usedat<10h", "a", "s"),
		"a plain reference":               {blob("a", root(), refContent("b"))},
		"a flat lease":                    {blob("a", refContent("b")), lease("l", flat(), holding(theBlob("a")))},
	}
	// Expired records of old servers stay for ever, and with them their images.
	want := map[string]map[string]string{
		"1.6.39": {
			"a reference to a record": "a b", "an expired record": "a", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a",
		},
		"1.7.35": {
			"a reference to a record": "a b", "an expired record": "a", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a",
		},
		"2.1.4": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a",
			"a back reference to a container": "", "a condition": "a", "a plain reference": "a b", "a flat lease": "a",
		},
		"v2.2.0": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a", "a plain reference": "a b", "a flat lease": "a",
		},
		"2.3.0-beta.1": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a s", "a plain reference": "a b", "a flat lease": "a",
		},
		"unknown": {
			"a reference to a record": "a b", "an expired record": "", "a lease of an expired record": "a", "a back reference": "a b",
			"a back reference to a container": "b", "a condition": "a s", "a plain reference": "a b", "a flat lease": "a",
		},
	}
	for version, rows := range want {
		for name, left := range rows {
			inv := world{"default": withDefaults(things[name])}.inventory()
			inv.Store.Version = version
			after := newCollector(inv, started).reach(change{})
			got := ""
			for _, n := range []node{
				{kind: kindContent, ns: "default", key: dig("a").String()}, {kind: kindContent, ns: "default", key: dig("b").String()},
				{kind: kindSnapshot, ns: "default", key: "memory/s"},
			} {
				if after.holds(n) {
					got += " " + map[string]string{dig("a").String(): "a", dig("b").String(): "b", "memory/s": "s"}[n.key]
				}
			}
			if diff := cmp.Diff(left, strings.TrimSpace(got)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", version, name, diff)
			}
		}
	}
}

func TestParseVersion(t *testing.T) {
	newest := release{1 << 30, 0}
	for text, want := range map[string]release{
		"2.4.2": {2, 4}, "v2.4.2": {2, 4}, "1.7.35+ds1": {1, 7}, "2.0": {2, 0}, "2.3.0-rc.1": {2, 3}, "1.6.39~ds1-1+deb12u1": {1, 6}, "2.10x": {2, 10},
		"": newest, "dev": newest, "0.0.0+unknown": newest, "2": newest, "2.": newest, "x.4": newest, "-2.4": newest,
	} {
		if got := parseVersion(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
