package pressure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/pressure"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func ago(days int) tw.Attr { return tw.Created(tw.Noon.AddDate(0, 0, -days)) }

// aged is an image of one blob, made so many days ago.
func aged(name, blob string, days int) []tw.Thing {
	at := tw.Noon.AddDate(0, 0, -days)
	return []tw.Thing{tw.Blob(blob, ago(days)), tw.Record(name, blob, ago(days), tw.Updated(at))}
}

// node is a store with images of all sorts.
func node() tw.World {
	return tw.World{
		"default": tw.Join(
			aged("docker.io/library/young:1", "young", 2), aged("docker.io/library/old:1", "old", 20),
			aged("docker.io/library/b:1", "b", 10), aged("docker.io/library/a:1", "a", 10),
			aged("docker.io/base/x:1", "base", 28), aged("docker.io/library/used:1", "used", 25),
			aged("<none>@"+tw.Digest("lost").String(), "lost", 1),
			aged("docker.io/library/old:sha256-"+tw.Digest("old").Encoded()+".sig", "signature", 1),
			[]tw.Thing{
				tw.Container("c", "docker.io/library/used:1", ""),
				tw.Blob("undone", ago(5)), tw.Lease("ctr-prune-grace-run1", tw.Holding(tw.TheBlob("undone")), tw.Labelled("ctr-prune/run", "run1"), tw.Expiring(tw.Noon.Add(time.Hour))),
			},
		),
	}
}

const rulesOfNode = `version: 1
rules:
- {name: base, match: {names: ["base/*"]}, keep: {within: 30d}, underPressure: last}
- {name: rest, match: {names: ["**"]}, keep: none}
`

func planOf(t *testing.T, w tw.World, asked filesystem.Pressure) *plan.Plan {
	t.Helper()
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Pressure: &asked, Retention: tw.Must(retention.Parse("policy", []byte(rulesOfNode)))}
	p, _, err := pressure.NewPlan(w.Inventory(), policy, tw.Noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// going lists the runs whose grace ends and the records that go, digests by what is in them.
func going(p *plan.Plan) []string {
	names := append([]string{}, p.Policy.Dropped...)
	for _, d := range p.Decisions {
		if d.Gone() {
			name := strings.TrimPrefix(d.Name, "docker.io/library/")
			for _, text := range []string{"lost", "old"} {
				name = strings.ReplaceAll(strings.ReplaceAll(name, tw.Digest(text).String(), "«"+text+"»"), tw.Digest(text).Encoded(), "«"+text+"»")
			}
			names = append(names, name)
		}
	}
	return names
}

// Asked for one byte more than a beginning of the order frees, the next goes: graces
// first, then what is dangling, then by age and name, a signature with its image; what
// rules have marked as the last only when a disk is critical, and what is in use never.
func TestOrderUnderPressure(t *testing.T) {
	want := []string{
		"run1",
		"run1 <none>@«lost»",
		"run1 <none>@«lost» old:1 old:sha256-«old».sig",
		"run1 <none>@«lost» a:1 old:1 old:sha256-«old».sig",
		"run1 <none>@«lost» a:1 b:1 old:1 old:sha256-«old».sig",
		"run1 <none>@«lost» a:1 b:1 old:1 old:sha256-«old».sig young:1",
	}
	var got []string
	for need := int64(1); ; {
		p := planOf(t, node(), filesystem.Pressure{FreeBytes: need})
		if !p.Relief.Reached {
			break
		}
		got = append(got, strings.Join(going(p), " "))
		need = p.Relief.FreesBytes + 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := planOf(t, node(), filesystem.Pressure{FreeBytes: 1 << 40})
	reasons := make(map[string]string)
	for _, d := range all.Decisions {
		reasons[d.Name] = string(d.ReasonCode)
	}
	if reasons["docker.io/base/x:1"] != "rule-within" || reasons["docker.io/library/used:1"] != "in-use" || all.Relief.Shortfall == nil {
		t.Errorf("%v", reasons)
	}
	critical := planOf(t, node(), filesystem.Pressure{FreeBytes: 1 << 40, Critical: true})
	if names := strings.Join(going(critical), " "); !strings.Contains(names, "docker.io/base/x:1") || strings.Contains(names, "used") {
		t.Errorf("critical: %s", names)
	}
}

// What else limits or asks: a number of images, what containerd uses, what is left to
// it.
func TestOtherTargets(t *testing.T) {
	plain := []filesystem.FileSystem{{Content: true, Snapshotters: []string{"memory", "other"}}}
	used := int64(0)
	for _, text := range strings.Fields("young old b a base used lost signature undone") {
		used += int64(len(tw.Body(text)))
	}
	for name, c := range map[string]struct {
		asked   filesystem.Pressure
		want    string
		reached bool
	}{
		"nothing":       {filesystem.Pressure{}, "", true},
		"images":        {filesystem.Pressure{MaxImages: 6}, "<none>@«lost» old:1 old:sha256-«old».sig", true},
		"images enough": {filesystem.Pressure{MaxImages: 8}, "", true},
		"used":          {filesystem.Pressure{FileSystems: plain, MaxUsed: used - 1}, "run1", true},
		"reserved":      {filesystem.Pressure{FreeBytes: 1000, Reserved: used - int64(len(tw.Body("undone"))) - 1}, "run1", false},
	} {
		p := planOf(t, node(), c.asked)
		if got := strings.Join(going(p), " "); got != c.want || p.Relief.Reached != c.reached {
			t.Errorf("%s: %s go, reached %v: %+v", name, got, p.Relief.Reached, p.Relief)
		}
	}
}

// It is said of each image that stays whether it would have freed something.
func TestWhyImagesStayUnderPressure(t *testing.T) {
	w := tw.World{"default": tw.Join(
		aged("docker.io/library/first:1", "one", 9), aged("docker.io/library/leased:1", "two", 8), aged("docker.io/library/third:1", "three", 7),
		[]tw.Thing{tw.Lease("other", tw.Holding(tw.TheBlob("two")))},
	)}
	codes := func(asked filesystem.Pressure) string {
		var all []string
		for _, d := range planOf(t, w, asked).Decisions {
			all = append(all, fmt.Sprintf("%s %s", d.Action, d.ReasonCode))
		}
		return strings.Join(all, ", ")
	}
	if got, want := codes(filesystem.Pressure{FreeBytes: 1}), "remove rule-removes, keep frees-nothing, keep enough-freed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := codes(filesystem.Pressure{FreeBytes: 1000, Reserved: 1 << 30}), "keep reserved, keep frees-nothing, keep reserved"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A store of which a part that it uses is not seen is refused, if all of it has to be.
func TestUnseenFileSystem(t *testing.T) {
	unseen := []filesystem.FileSystem{{Snapshotters: []string{"memory"}, Unseen: "it is a thin pool"}}
	w := node()
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Pressure: &filesystem.Pressure{FileSystems: unseen, Strict: true}}
	if _, _, err := pressure.NewPlan(w.Inventory(), policy, tw.Noon, nil); err != nil {
		t.Errorf("nothing is there, but %v", err)
	}
	w["default"] = append(w["default"], tw.Snapshot("s", ""))
	if _, _, err := pressure.NewPlan(w.Inventory(), policy, tw.Noon, nil); err == nil || !strings.Contains(err.Error(), `snapshotter "memory"`) {
		t.Errorf("got %v", err)
	}
}
