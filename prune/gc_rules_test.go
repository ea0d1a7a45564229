package prune

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCollectorsRules states the rules one by one: what a collection leaves of
// a small namespace, by containerd's own collector and by the model of it.
func TestCollectorsRules(t *testing.T) {
	// Each namespace has blobs a and b and a snapshot s, too, unless it makes
	// them itself, with labels.
	for name, c := range map[string]struct {
		things []thing
		left   string
	}{
		"nothing holds anything":  {nil, ""},
		"a record its target":     {[]thing{record("i", "a")}, "content a, image i"},
		"a record no more":        {[]thing{blob("a"), record("i", "b")}, "content b, image i"},
		"an expired record":       {[]thing{record("i", "a", expiring(earlier))}, ""},
		"a record that expires":   {[]thing{record("i", "a", expiring(later))}, "content a, image i"},
		"an odd expiry":           {[]thing{record("i", "a", labelled("containerd.io/gc.expire", "soon"))}, "content a, image i"},
		"a root":                  {[]thing{blob("a", gcRoot())}, "content a"},
		"a root, spelled at will": {[]thing{blob("a", labelled("containerd.io/gc.root.x", "no"))}, "content a"},
		"a snapshot as root":      {[]thing{snapshot("s", "", gcRoot())}, "snapshot memory/s"},
		"no root on a record":     {[]thing{record("i", "a", expiring(earlier), gcRoot())}, ""},
		"a reference":             {[]thing{blob("a", gcRoot(), refContent("b"))}, "content a, content b"},
		"a reference with index":  {[]thing{blob("a", gcRoot(), refContent("b", ".m.0"))}, "content a, content b"},
		"a reference with name":   {[]thing{blob("a", gcRoot(), refContent("b", "/x"))}, "content a, content b"},
		"no reference":            {[]thing{blob("a", gcRoot(), refContent("b", "x"))}, "content a"},
		"a reference in circles":  {[]thing{blob("a", gcRoot(), refContent("b")), blob("b", refContent("a"))}, "content a, content b"},
		"a dangling reference":    {[]thing{blob("a", gcRoot(), refContent("gone"))}, "content a"},
		"a snapshot":              {[]thing{blob("a", gcRoot(), refSnapshot("s"))}, "content a, snapshot memory/s"},
		"a snapshot with name":    {[]thing{blob("a", gcRoot(), refSnapshot("s", "/x"))}, "content a, snapshot memory/s"},
		"another snapshotter's":   {[]thing{blob("a", gcRoot(), refSnapshot("s", ".x"))}, "content a"},
		"a parent":                {[]thing{snapshot("s", ""), snapshot("t", "s", gcRoot())}, "snapshot memory/s, snapshot memory/t"},
		"a child":                 {[]thing{snapshot("s", "", gcRoot()), snapshot("t", "s")}, "snapshot memory/s"},
		"an expired record's name": {
			[]thing{blob("b", gcRoot(), refImage("i")), record("i", "a", expiring(earlier))}, "content a, content b, image i",
		},
		"a back reference": {[]thing{blob("a", gcRoot()), blob("b", backContent("a"))}, "content a, content b"},
		"a back reference to what is gone": {
			[]thing{blob("a", gcRoot(), refImage("gone")), blob("b", backImage("gone"))}, "content a, content b",
		},
		"a back reference to a record":   {[]thing{record("i", "a"), snapshot("s", "", backImage("i"))}, "content a, image i, snapshot memory/s"},
		"a back reference to a snapshot": {[]thing{blob("a", backSnapshot("s", "/x")), snapshot("s", "", gcRoot())}, "content a, snapshot memory/s"},
		"a back reference to a container": {
			[]thing{blob("a", backContainer("c", ".x")), container("c", "", "")}, "content a",
		},
		"a back reference from an expired record": {
			[]thing{blob("a", gcRoot()), record("i", "b", expiring(earlier), backContent("a"))}, "content a, content b, image i",
		},
		"a container's snapshot":        {[]thing{snapshot("s", ""), container("c", "i", "s")}, "snapshot memory/s"},
		"a container not its image":     {[]thing{record("i", "a", expiring(earlier)), container("c", "i", "")}, ""},
		"a container's labels":          {[]thing{container("c", "", "", refContent("a"))}, "content a"},
		"a sandbox's labels":            {[]thing{podSandbox("p", refSnapshot("s"))}, "snapshot memory/s"},
		"a condition that holds":        {condition("usedat<10h", "a", "s"), "content a, snapshot memory/s"},
		"a condition that does not":     {condition("usedat>10h", "a", "s"), "content a"},
		"one of two conditions":         {condition("usedat>10h,usedat<10h", "a", "s"), "content a, snapshot memory/s"},
		"a condition that is none":      {condition("usedat<=10h", "a", "s"), "content a"},
		"a condition on something else": {condition("pulled<10h", "a", "s"), "content a"},
		"a condition on a snapshot's label": {
			[]thing{snapshot("s", "", usedAt(earlier)), snapshot("t", "", gcRoot(), whileUsed("usedat<10h", "s"))}, "snapshot memory/t",
		},
		"a condition on a record": {
			[]thing{snapshot("s", "", usedAt(earlier)), record("i", "a", whileUsed("usedat<10h", "s"))}, "content a, image i, snapshot memory/s",
		},
		"a condition without a time": {[]thing{snapshot("s", ""), blob("a", gcRoot(), whileUsed("usedat<10h", "s"))}, "content a"},
		"a lease": {
			[]thing{blob("a", refContent("b"), refSnapshot("s")), lease("l", holding(theBlob("a")))},
			"content a, content b, lease l, snapshot memory/s",
		},
		"an expired lease":     {[]thing{lease("l", expiring(earlier), holding(theBlob("a")))}, ""},
		"a lease that expires": {[]thing{lease("l", expiring(later), holding(theBlob("a")))}, "content a, lease l"},
		"a lease's odd expiry": {[]thing{lease("l", labelled("containerd.io/gc.expire", "soon"))}, "lease l"},
		"a flat lease": {
			[]thing{blob("a", refContent("b"), refSnapshot("s")), lease("l", flat(), holding(theBlob("a")))}, "content a, lease l",
		},
		"a flat lease of a snapshot": {
			[]thing{snapshot("s", "", refContent("a")), snapshot("t", "s", refContent("b")), lease("l", flat(), holding(theSnapshot("memory", "t")))},
			"lease l, snapshot memory/s, snapshot memory/t",
		},
		"a flat lease of a record": {
			[]thing{
				blob("a", refContent("b")), record("i", "a", expiring(earlier), refSnapshot("s")),
				lease("l", flat(), holding(theRecord("i"))),
			},
			"content a, image i, lease l",
		},
		"a lease of a record": {
			[]thing{
				blob("a", refContent("b")), record("i", "a", expiring(earlier), refSnapshot("s")),
				lease("l", holding(theRecord("i"))),
			},
			"content a, content b, image i, lease l, snapshot memory/s",
		},
		"a flat lease takes back references too": {
			[]thing{blob("b", backContent("a")), lease("l", flat(), holding(theBlob("a")))}, "content a, lease l",
		},
		"a lease of an upload": {
			[]thing{lease("l", holding(theUpload("u"))), upload("u", "", leasedTo("l"))}, "ingest u, lease l",
		},
		"an upload of its own": {[]thing{upload("u", "")}, "ingest u"},
		"an upload whose lease has expired": {
			[]thing{lease("l", expiring(earlier)), upload("u", "", leasedTo("l"))}, "",
		},
		"an upload holds what it waits for, and what that refers to": {
			[]thing{upload("u", "a"), blob("a", refContent("b"))}, "content a, content b, ingest u",
		},
		"a flat lease's upload as well": {
			[]thing{lease("l", flat()), upload("u", "a", leasedTo("l")), blob("a", refContent("b"))},
			"content a, content b, ingest u, lease l",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{"default": withDefaults(c.things)}
			s := w.build(t, t.TempDir())
			defer func() { must(0, s.Close()) }()
			inv := readWhole(t, s)
			checkCollection(t, s, inv, outcomeOf(inv, nil), nil)
			if diff := cmp.Diff(c.left, inWords(census(t, s))); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// condition makes a blob that holds a snapshot, last used an hour ago, while a
// condition holds.
func condition(condition, text, key string) []thing {
	return []thing{snapshot(key, "", usedAt(earlier)), blob(text, gcRoot(), whileUsed(condition, key))}
}

// withDefaults adds those of blobs a and b and snapshot s that are missing.
// They come last: an upload can only wait for a blob that comes after it.
func withDefaults(things []thing) []thing {
	for _, extra := range []thing{blob("a"), blob("b"), snapshot("s", "")} {
		same := func(t thing) bool { return t.What == extra.What && t.Name == extra.Name }
		if !slices.ContainsFunc(things, same) {
			things = append(things, extra)
		}
	}
	return things
}

// inWords writes the census of namespace default with blobs by their text.
func inWords(found map[string]bool) string {
	lines := slices.Sorted(maps.Keys(found))
	text := strings.Join(lines, ", ")
	for _, blob := range []string{"a", "b"} {
		text = strings.ReplaceAll(text, dig(blob).String(), blob)
	}
	sorted := strings.Split(strings.ReplaceAll(text, "default ", ""), ", ")
	slices.Sort(sorted)
	return strings.Join(sorted, ", ")
}
