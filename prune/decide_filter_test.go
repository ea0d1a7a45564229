package prune

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

func TestDanglingOnly(t *testing.T) {
	d := dig("a").String()
	for name, prefixes := range map[string][]string{
		"moby-dangling@" + d: nil, "<none>@" + d: nil, "overlayfs@" + d: nil, "native@" + d: nil, "import@" + d: nil,
		"import-2026-11-21@" + d: nil, "stargz@" + d: nil,
		"memory@" + d:  nil,                // a snapshotter of the store
		"builder@" + d: {"x", "builder"},   // buildkit's dangling-name-prefix
		"a/b:c@" + d:   {"a/b:c", "other"}, // which may be anything
	} {
		w := world{"default": {record(name, "a"), blob("a")}}
		got := decided(t, w, rules.Policy{Namespaces: []string{"default"}, DanglingPrefixes: prefixes})
		if diff := cmp.Diff([]string{legend(name) + ": remove: unused and dangling"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for _, name := range []string{
		"docker.io/library/x:1", "builder@" + d, "docker.io/library/x@" + d, d, dig("a").Encoded(), "<none>", "<none>@", "<none>@sha256:12",
		"<none>@" + d + "0", " <none>@" + d, "<none>:1@" + d, "overlayfs", "import-yesterday@" + d, "@" + d, "x@y@" + d, "\x1b@" + d,
	} {
		checkDecided(t, "default", onlyDangling(), []thing{record(name, "a"), blob("a")}, []string{legend(name) + ": keep: not dangling"})
	}
}

func TestPinned(t *testing.T) {
	const cri, ours = rules.LabelPinned + "=" + rules.ValuePinned, rules.LabelKeep
	for name, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"by CRI": {
			[]thing{record("x:1", "a", labelled(rules.LabelPinned, rules.ValuePinned)), record("x:2", "a")},
			[]string{`x:1: keep: pinned by label ` + cri + ` on "x:1"`, `x:2: keep: pinned by label ` + cri + ` on "x:1"`},
		},
		"by our own label, whatever its value": {
			[]thing{record("x:1", "a"), record("x:2", "a", labelled(rules.LabelKeep, ""))},
			[]string{`x:1: keep: pinned by label ` + ours + ` on "x:2"`, `x:2: keep: pinned by label ` + ours + ` on "x:2"`},
		},
		"by CRI's label with another value": {
			[]thing{record("x:1", "a", labelled(rules.LabelPinned, "no"))}, []string{"x:1: remove: unused"},
		},
		"another image": {
			[]thing{record("x:1", "a", labelled(rules.LabelKeep, "")), record("x:2", "b")},
			[]string{`x:1: keep: pinned by label ` + ours + ` on "x:1"`, "x:2: remove: unused"},
		},
		"a dangling one": {
			[]thing{record("<none>@"+dig("a").String(), "a", labelled(rules.LabelKeep, "yes"))},
			[]string{`<none>@«a»: keep: pinned by label ` + ours + ` on "<none>@` + `«a»"`},
		},
	} {
		t.Run(name, func(t *testing.T) { checkDecided(t, "default", all(), c.things, c.want) })
	}
}

func TestUntil(t *testing.T) {
	day := 24 * time.Hour
	const gone = "x:1: remove: unused"
	for name, c := range map[string]struct {
		record []attr
		blob   []attr
		want   string
	}{
		"old":                   {nil, nil, gone},
		"as old as asked":       {[]attr{created(noon.Add(-3 * day)), updated(noon.Add(-3 * day))}, nil, gone},
		"a second too young":    {[]attr{created(noon.Add(-3*day + time.Second))}, nil, "x:1: keep: younger than 72h (2 days old)"},
		"made long ago, pulled": {[]attr{updated(noon.Add(-time.Hour))}, nil, "x:1: keep: younger than 72h (1h old)"},
		"made again": {
			[]attr{created(noon.Add(-time.Hour)), updated(noon.Add(-9 * day))}, nil, "x:1: keep: younger than 72h (1h old)",
		},
		"times forged, committed just now": {
			[]attr{created(time.Unix(0, 0)), updated(time.Unix(0, 0))}, []attr{created(noon.Add(-time.Minute))},
			"x:1: keep: younger than 72h (1m old)",
		},
		"committed long ago, times forged": {[]attr{created(time.Unix(1, 0)), updated(time.Unix(1, 0))}, nil, gone},
		"from the future":                  {[]attr{created(noon.Add(time.Second))}, nil, "x:1: keep: filter until=72h: its time 2026-11-21T12:00:01Z is in the future"},
		"its content from the future":      {nil, []attr{created(noon.AddDate(1, 0, 0))}, "x:1: keep: filter until=72h: its time 2027-11-21T12:00:00Z is in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			checkDecided(t, "default", all("until=72h"), []thing{record("x:1", "a", c.record...), blob("a", c.blob...)}, []string{c.want})
		})
	}
	t.Run("no content, no age", func(t *testing.T) {
		checkDecided(t, "default", all("until=72h"), []thing{record("x:1", "a")}, []string{"x:1: keep: filter until=72h: its age cannot be read"})
	})
}

// A time of zero is one that could not be read.
func TestUntilUnreadable(t *testing.T) {
	inv := world{"default": {record("x:1", "a"), record("x:2", "a"), record("x:3", "b"), blob("a"), blob("b")}}.inventory()
	ns := inv.Namespaces[0]
	ns.Images[0].CreatedAt, ns.Images[1].UpdatedAt = time.Time{}, time.Time{}
	info := ns.Blobs[dig("b")]
	info.CreatedAt = time.Time{}
	ns.Blobs[dig("b")] = info
	for _, d := range must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: all("until=72h")}, noon)).Decisions {
		if want := "filter until=72h: its age cannot be read"; d.Action != rules.Keep || d.Reason != want {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
}

// However young or filtered out a record is, it counts as a reference.
func TestFiltersDoNotThinTheInventory(t *testing.T) {
	w := world{"default": {
		blob("a", refContent("c")), blob("b", refContent("c")), blob("c"),
		record("old:1", "a"), record("young:1", "b", created(noon)), record("other:1", "c"),
	}}
	plan := must(plan.NewPlan(w.inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: all("until=72h", "reference!=other")}, noon))
	if got, want := plan.Predicted().Blobs, 1; got != want {
		t.Errorf("%d blobs go, want %d: only the old manifest", got, want)
	}
	got := decided(t, w, rules.Policy{Namespaces: []string{"default"}, Filters: all("until=72h", "reference!=other")})
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
			inv := world{"default": {record("x:1", "a"), blob("a")}}.inventory()
			if c.config != nil {
				inv.Namespaces[0].Configs[dig("a")] = *c.config
			}
			d := must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: all(c.filter)}, noon)).Decisions[0]
			if got := d.Name + ": " + string(d.Action) + ": " + d.Reason; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The zero policy names no namespace and lets nothing go; the zero filters let
// dangling records go.
func TestZeroPolicy(t *testing.T) {
	inv := world{"default": {record("x:1", "a"), record("<none>@"+dig("a").String(), "a")}}.inventory()
	if plan := must(plan.NewPlan(inv, rules.Policy{}, noon)); len(plan.Decisions) != 0 || !plan.Empty() {
		t.Errorf("the zero policy decides %+v", plan.Decisions)
	}
	if !(filters.Set{}).DanglingOnly() {
		t.Error("the zero filters are not for dangling records only")
	}
}
