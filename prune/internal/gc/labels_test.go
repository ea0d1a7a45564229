package gc_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// TestCollectorsRules states the rules one by one: what a collection leaves of
// a small namespace, by containerd's own collector and by the model of it.
func TestCollectorsRules(t *testing.T) {
	// Each namespace has blobs a and b and a snapshot s, too, unless it makes
	// them itself, with labels.
	for name, c := range map[string]struct {
		things []tw.Thing
		left   string
	}{
		"nothing holds anything":  {nil, ""},
		"a record its target":     {[]tw.Thing{tw.Record("i", "a")}, "content a, image i"},
		"a record no more":        {[]tw.Thing{tw.Blob("a"), tw.Record("i", "b")}, "content b, image i"},
		"an expired record":       {[]tw.Thing{tw.Record("i", "a", tw.Expiring(tw.Earlier))}, ""},
		"a record that expires":   {[]tw.Thing{tw.Record("i", "a", tw.Expiring(tw.Later))}, "content a, image i"},
		"an odd expiry":           {[]tw.Thing{tw.Record("i", "a", tw.Labelled("containerd.io/gc.expire", "soon"))}, "content a, image i"},
		"a root":                  {[]tw.Thing{tw.Blob("a", tw.GCRoot())}, "content a"},
		"a root, spelled at will": {[]tw.Thing{tw.Blob("a", tw.Labelled("containerd.io/gc.root.x", "no"))}, "content a"},
		"a snapshot as root":      {[]tw.Thing{tw.Snapshot("s", "", tw.GCRoot())}, "snapshot memory/s"},
		"no root on a record":     {[]tw.Thing{tw.Record("i", "a", tw.Expiring(tw.Earlier), tw.GCRoot())}, ""},
		"a reference":             {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("b"))}, "content a, content b"},
		"a reference with index":  {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("b", ".m.0"))}, "content a, content b"},
		"a reference with name":   {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("b", "/x"))}, "content a, content b"},
		"no reference":            {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("b", "x"))}, "content a"},
		"a reference in circles":  {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("b")), tw.Blob("b", tw.RefContent("a"))}, "content a, content b"},
		"a dangling reference":    {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefContent("gone"))}, "content a"},
		"a snapshot":              {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefSnapshot("s"))}, "content a, snapshot memory/s"},
		"a snapshot with name":    {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefSnapshot("s", "/x"))}, "content a, snapshot memory/s"},
		"another snapshotter's":   {[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefSnapshot("s", ".x"))}, "content a"},
		"a parent":                {[]tw.Thing{tw.Snapshot("s", ""), tw.Snapshot("t", "s", tw.GCRoot())}, "snapshot memory/s, snapshot memory/t"},
		"a child":                 {[]tw.Thing{tw.Snapshot("s", "", tw.GCRoot()), tw.Snapshot("t", "s")}, "snapshot memory/s"},
		"an expired record's name": {
			[]tw.Thing{tw.Blob("b", tw.GCRoot(), tw.RefImage("i")), tw.Record("i", "a", tw.Expiring(tw.Earlier))}, "content a, content b, image i",
		},
		"a back reference": {[]tw.Thing{tw.Blob("a", tw.GCRoot()), tw.Blob("b", tw.BackContent("a"))}, "content a, content b"},
		"a back reference to what is gone": {
			[]tw.Thing{tw.Blob("a", tw.GCRoot(), tw.RefImage("gone")), tw.Blob("b", tw.BackImage("gone"))}, "content a, content b",
		},
		"a back reference to a record":   {[]tw.Thing{tw.Record("i", "a"), tw.Snapshot("s", "", tw.BackImage("i"))}, "content a, image i, snapshot memory/s"},
		"a back reference to a snapshot": {[]tw.Thing{tw.Blob("a", tw.BackSnapshot("s", "/x")), tw.Snapshot("s", "", tw.GCRoot())}, "content a, snapshot memory/s"},
		"a back reference to a container": {
			[]tw.Thing{tw.Blob("a", tw.BackContainer("c", ".x")), tw.Container("c", "", "")}, "content a",
		},
		"a back reference from an expired record": {
			[]tw.Thing{tw.Blob("a", tw.GCRoot()), tw.Record("i", "b", tw.Expiring(tw.Earlier), tw.BackContent("a"))}, "content a, content b, image i",
		},
		"a container's snapshot":        {[]tw.Thing{tw.Snapshot("s", ""), tw.Container("c", "i", "s")}, "snapshot memory/s"},
		"a container not its image":     {[]tw.Thing{tw.Record("i", "a", tw.Expiring(tw.Earlier)), tw.Container("c", "i", "")}, ""},
		"a container's labels":          {[]tw.Thing{tw.Container("c", "", "", tw.RefContent("a"))}, "content a"},
		"a sandbox's labels":            {[]tw.Thing{tw.PodSandbox("p", tw.RefSnapshot("s"))}, "snapshot memory/s"},
		"a condition that holds":        {condition("usedat<10h", "a", "s"), "content a, snapshot memory/s"},
		"a condition that does not":     {condition("usedat>10h", "a", "s"), "content a"},
		"one of two conditions":         {condition("usedat>10h,usedat<10h", "a", "s"), "content a, snapshot memory/s"},
		"a condition that is none":      {condition("usedat<=10h", "a", "s"), "content a"},
		"a condition on something else": {condition("pulled<10h", "a", "s"), "content a"},
		"a condition on a snapshot's label": {
			[]tw.Thing{tw.Snapshot("s", "", tw.UsedAt(tw.Earlier)), tw.Snapshot("t", "", tw.GCRoot(), tw.WhileUsed("usedat<10h", "s"))}, "snapshot memory/t",
		},
		"a condition on a record": {
			[]tw.Thing{tw.Snapshot("s", "", tw.UsedAt(tw.Earlier)), tw.Record("i", "a", tw.WhileUsed("usedat<10h", "s"))}, "content a, image i, snapshot memory/s",
		},
		"a condition without a time": {[]tw.Thing{tw.Snapshot("s", ""), tw.Blob("a", tw.GCRoot(), tw.WhileUsed("usedat<10h", "s"))}, "content a"},
		"a lease": {
			[]tw.Thing{tw.Blob("a", tw.RefContent("b"), tw.RefSnapshot("s")), tw.Lease("l", tw.Holding(tw.TheBlob("a")))},
			"content a, content b, lease l, snapshot memory/s",
		},
		"an expired lease":     {[]tw.Thing{tw.Lease("l", tw.Expiring(tw.Earlier), tw.Holding(tw.TheBlob("a")))}, ""},
		"a lease that expires": {[]tw.Thing{tw.Lease("l", tw.Expiring(tw.Later), tw.Holding(tw.TheBlob("a")))}, "content a, lease l"},
		"a lease's odd expiry": {[]tw.Thing{tw.Lease("l", tw.Labelled("containerd.io/gc.expire", "soon"))}, "lease l"},
		"a flat lease": {
			[]tw.Thing{tw.Blob("a", tw.RefContent("b"), tw.RefSnapshot("s")), tw.Lease("l", tw.Flat(), tw.Holding(tw.TheBlob("a")))}, "content a, lease l",
		},
		"a flat lease of a snapshot": {
			[]tw.Thing{tw.Snapshot("s", "", tw.RefContent("a")), tw.Snapshot("t", "s", tw.RefContent("b")), tw.Lease("l", tw.Flat(), tw.Holding(tw.TheSnapshot("memory", "t")))},
			"lease l, snapshot memory/s, snapshot memory/t",
		},
		"a flat lease of a record": {
			[]tw.Thing{
				tw.Blob("a", tw.RefContent("b")), tw.Record("i", "a", tw.Expiring(tw.Earlier), tw.RefSnapshot("s")),
				tw.Lease("l", tw.Flat(), tw.Holding(tw.TheRecord("i"))),
			},
			"content a, image i, lease l",
		},
		"a lease of a record": {
			[]tw.Thing{
				tw.Blob("a", tw.RefContent("b")), tw.Record("i", "a", tw.Expiring(tw.Earlier), tw.RefSnapshot("s")),
				tw.Lease("l", tw.Holding(tw.TheRecord("i"))),
			},
			"content a, content b, image i, lease l, snapshot memory/s",
		},
		"a flat lease takes back references too": {
			[]tw.Thing{tw.Blob("b", tw.BackContent("a")), tw.Lease("l", tw.Flat(), tw.Holding(tw.TheBlob("a")))}, "content a, lease l",
		},
		"a lease of an upload": {
			[]tw.Thing{tw.Lease("l", tw.Holding(tw.TheUpload("u"))), tw.Upload("u", "", tw.LeasedTo("l"))}, "ingest u, lease l",
		},
		"an upload of its own": {[]tw.Thing{tw.Upload("u", "")}, "ingest u"},
		"an upload whose lease has expired": {
			[]tw.Thing{tw.Lease("l", tw.Expiring(tw.Earlier)), tw.Upload("u", "", tw.LeasedTo("l"))}, "",
		},
		"an upload holds what it waits for, and what that refers to": {
			[]tw.Thing{tw.Upload("u", "a"), tw.Blob("a", tw.RefContent("b"))}, "content a, content b, ingest u",
		},
		"a flat lease's upload as well": {
			[]tw.Thing{tw.Lease("l", tw.Flat()), tw.Upload("u", "a", tw.LeasedTo("l")), tw.Blob("a", tw.RefContent("b"))},
			"content a, content b, ingest u, lease l",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := tw.World{"default": withDefaults(c.things)}
			s := w.Build(t, t.TempDir())
			defer func() { tw.Must(0, s.Close()) }()
			inv := tw.ReadWhole(t, s)
			checkCollection(t, s, inv, outcomeOf(inv, nil), nil)
			if diff := cmp.Diff(c.left, inWords(tw.Census(t, s))); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// condition makes a blob that holds a snapshot, last used an hour ago, while a
// condition holds.
func condition(condition, text, key string) []tw.Thing {
	return []tw.Thing{tw.Snapshot(key, "", tw.UsedAt(tw.Earlier)), tw.Blob(text, tw.GCRoot(), tw.WhileUsed(condition, key))}
}

// withDefaults adds those of blobs a and b and snapshot s that are missing.
// They come last: an upload can only wait for a blob that comes after it.
func withDefaults(things []tw.Thing) []tw.Thing {
	for _, extra := range []tw.Thing{tw.Blob("a"), tw.Blob("b"), tw.Snapshot("s", "")} {
		same := func(t tw.Thing) bool { return t.What == extra.What && t.Name == extra.Name }
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
		text = strings.ReplaceAll(text, tw.Digest(blob).String(), blob)
	}
	sorted := strings.Split(strings.ReplaceAll(text, "default ", ""), ", ")
	slices.Sort(sorted)
	return strings.Join(sorted, ", ")
}
