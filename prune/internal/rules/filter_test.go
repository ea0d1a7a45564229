package rules_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestDanglingOnly(t *testing.T) {
	d := tw.Digest("a").String()
	for name, prefixes := range map[string][]string{
		"moby-dangling@" + d: nil, "<none>@" + d: nil, "overlayfs@" + d: nil, "native@" + d: nil, "import@" + d: nil,
		"import-2026-11-21@" + d: nil, "stargz@" + d: nil,
		"memory@" + d:  nil,                // a snapshotter of the store
		"builder@" + d: {"x", "builder"},   // buildkit's dangling-name-prefix
		"a/b:c@" + d:   {"a/b:c", "other"}, // which may be anything
	} {
		w := tw.World{"default": {tw.Record(name, "a"), tw.Blob("a")}}
		got := tw.Decided(t, w, rules.Policy{Namespaces: []string{"default"}, DanglingPrefixes: prefixes})
		if diff := cmp.Diff([]string{tw.Legend(name) + ": remove: unused and dangling"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for _, name := range []string{
		"docker.io/library/x:1", "builder@" + d, "docker.io/library/x@" + d, d, tw.Digest("a").Encoded(), "<none>", "<none>@", "<none>@sha256:12",
		"<none>@" + d + "0", " <none>@" + d, "<none>:1@" + d, "overlayfs", "import-yesterday@" + d, "@" + d, "x@y@" + d, "\x1b@" + d,
	} {
		tw.CheckDecided(t, "default", tw.OnlyDangling(), []tw.Thing{tw.Record(name, "a"), tw.Blob("a")}, []string{tw.Legend(name) + ": keep: not dangling"})
	}
}

func TestPinned(t *testing.T) {
	const cri, ours = rules.LabelPinned + "=" + rules.ValuePinned, rules.LabelKeep
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"by CRI": {
			[]tw.Thing{tw.Record("x:1", "a", tw.Labelled(rules.LabelPinned, rules.ValuePinned)), tw.Record("x:2", "a")},
			[]string{`x:1: keep: pinned by label ` + cri + ` on "x:1"`, `x:2: keep: pinned by label ` + cri + ` on "x:1"`},
		},
		"by our own label, whatever its value": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("x:2", "a", tw.Labelled(rules.LabelKeep, ""))},
			[]string{`x:1: keep: pinned by label ` + ours + ` on "x:2"`, `x:2: keep: pinned by label ` + ours + ` on "x:2"`},
		},
		"by CRI's label with another value": {
			[]tw.Thing{tw.Record("x:1", "a", tw.Labelled(rules.LabelPinned, "no"))}, []string{"x:1: remove: unused"},
		},
		"another image": {
			[]tw.Thing{tw.Record("x:1", "a", tw.Labelled(rules.LabelKeep, "")), tw.Record("x:2", "b")},
			[]string{`x:1: keep: pinned by label ` + ours + ` on "x:1"`, "x:2: remove: unused"},
		},
		"a dangling one": {
			[]tw.Thing{tw.Record("<none>@"+tw.Digest("a").String(), "a", tw.Labelled(rules.LabelKeep, "yes"))},
			[]string{`<none>@«a»: keep: pinned by label ` + ours + ` on "<none>@` + `«a»"`},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}

func TestUntil(t *testing.T) {
	day := 24 * time.Hour
	const gone = "x:1: remove: unused"
	for name, c := range map[string]struct {
		record []tw.Attr
		blob   []tw.Attr
		want   string
	}{
		"old":                   {nil, nil, gone},
		"as old as asked":       {[]tw.Attr{tw.Created(tw.Noon.Add(-3 * day)), tw.Updated(tw.Noon.Add(-3 * day))}, nil, gone},
		"a second too young":    {[]tw.Attr{tw.Created(tw.Noon.Add(-3*day + time.Second))}, nil, "x:1: keep: younger than 72h (2d old)"},
		"made long ago, pulled": {[]tw.Attr{tw.Updated(tw.Noon.Add(-time.Hour))}, nil, "x:1: keep: younger than 72h (1h old)"},
		"made again": {
			[]tw.Attr{tw.Created(tw.Noon.Add(-time.Hour)), tw.Updated(tw.Noon.Add(-9 * day))}, nil, "x:1: keep: younger than 72h (1h old)",
		},
		"times forged, committed just now": {
			[]tw.Attr{tw.Created(time.Unix(0, 0)), tw.Updated(time.Unix(0, 0))}, []tw.Attr{tw.Created(tw.Noon.Add(-time.Minute))},
			"x:1: keep: younger than 72h (1m old)",
		},
		"committed long ago, times forged": {[]tw.Attr{tw.Created(time.Unix(1, 0)), tw.Updated(time.Unix(1, 0))}, nil, gone},
		"from the future":                  {[]tw.Attr{tw.Created(tw.Noon.Add(time.Second))}, nil, "x:1: keep: filter until=72h: its time 2026-11-21T12:00:01Z is in the future"},
		"its content from the future":      {nil, []tw.Attr{tw.Created(tw.Noon.AddDate(1, 0, 0))}, "x:1: keep: filter until=72h: its time 2027-11-21T12:00:00Z is in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			tw.CheckDecided(t, "default", tw.All("until=72h"), []tw.Thing{tw.Record("x:1", "a", c.record...), tw.Blob("a", c.blob...)}, []string{c.want})
		})
	}
	t.Run("no content, no age", func(t *testing.T) {
		tw.CheckDecided(t, "default", tw.All("until=72h"), []tw.Thing{tw.Record("x:1", "a")}, []string{"x:1: keep: filter until=72h: its age cannot be read"})
	})
}

// A time of zero is one that could not be read.
func TestUntilUnreadable(t *testing.T) {
	inv := tw.World{"default": {tw.Record("x:1", "a"), tw.Record("x:2", "a"), tw.Record("x:3", "b"), tw.Blob("a"), tw.Blob("b")}}.Inventory()
	ns := inv.Namespaces[0]
	ns.Images[0].CreatedAt, ns.Images[1].UpdatedAt = time.Time{}, time.Time{}
	info := ns.Blobs[tw.Digest("b")]
	info.CreatedAt = time.Time{}
	ns.Blobs[tw.Digest("b")] = info
	for _, d := range tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("until=72h")}, tw.Noon)).Decisions {
		if want := "filter until=72h: its age cannot be read"; d.Action != rules.Keep || d.Reason != want {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
}

// However young or filtered out a record is, it counts as a reference.
func TestFiltersDoNotThinTheInventory(t *testing.T) {
	w := tw.World{"default": {
		tw.Blob("a", tw.RefContent("c")), tw.Blob("b", tw.RefContent("c")), tw.Blob("c"),
		tw.Record("old:1", "a"), tw.Record("young:1", "b", tw.Created(tw.Noon)), tw.Record("other:1", "c"),
	}}
	plan := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("until=72h", "reference!=other")}, tw.Noon))
	if got, want := plan.Predicted().Blobs, 1; got != want {
		t.Errorf("%d blobs go, want %d: only the old manifest", got, want)
	}
	got := tw.Decided(t, w, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("until=72h", "reference!=other")})
	want := []string{
		"old:1: remove: unused",
		`other:1: keep: filter reference!=other: it has the name other:1`,
		"young:1: keep: younger than 72h (0s old)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// Labels are those of the configs, of all platforms that are there.
func TestLabelFilters(t *testing.T) {
	const kept, gone = "x:1: keep: ", "x:1: remove: unused"
	for name, c := range map[string]struct {
		config *inventory.Config
		filter string
		want   string
	}{
		"has it":           {&inventory.Config{Labels: []map[string]string{{"a": "1"}}}, "label=a", gone},
		"one platform has": {&inventory.Config{Labels: []map[string]string{nil, {"a": "1"}}}, "label=a=1", gone},
		"one is protected": {&inventory.Config{Labels: []map[string]string{nil, {"a": "1"}}}, "label!=a", kept + `filter label!=a: a platform has the label a=1`},
		"no labels at all": {&inventory.Config{Labels: []map[string]string{nil}}, "label=a", kept + "filter label=a: no platform has the label"},
		"nothing to say":   {&inventory.Config{Labels: []map[string]string{nil}}, "label!=a", gone},
		"unreadable":       {&inventory.Config{Problem: "config x cannot be parsed"}, "label!=a", kept + "filter label!=a: config x cannot be parsed"},
		"never read":       {nil, "label!=a", kept + "filter label!=a: no image config of it can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			inv := tw.World{"default": {tw.Record("x:1", "a"), tw.Blob("a")}}.Inventory()
			if c.config != nil {
				inv.Namespaces[0].Configs[tw.Digest("a")] = *c.config
			}
			d := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(c.filter)}, tw.Noon)).Decisions[0]
			if got := d.Name + ": " + string(d.Action) + ": " + d.Reason; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The zero policy names no namespace and lets nothing go; the zero filters let
// dangling records go.
func TestZeroPolicy(t *testing.T) {
	inv := tw.World{"default": {tw.Record("x:1", "a"), tw.Record("<none>@"+tw.Digest("a").String(), "a")}}.Inventory()
	if plan := tw.Must(plan.NewPlan(inv, rules.Policy{}, tw.Noon)); len(plan.Decisions) != 0 || !plan.Empty() {
		t.Errorf("the zero policy decides %+v", plan.Decisions)
	}
	if !(filters.Set{}).DanglingOnly() {
		t.Error("the zero filters are not for dangling records only")
	}
}
