package clients_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A view or a writable snapshot without a container uses the image that it is
// based on as long as something holds it. By a lease with an expiry somebody is
// at work, who may know the image by any name: all stay. Otherwise one is enough.
func TestMountedSnapshotsWithoutAContainer(t *testing.T) {
	soon, over := tw.Expiring(time.Now().Add(time.Hour)), tw.Expiring(time.Now().Add(-time.Hour))
	rooted := tw.Labelled("containerd.io/gc.root", "2026-11-28T16:00:00Z")
	held := tw.Holding(tw.TheSnapshot("memory", "c"))
	refers := tw.RefSnapshot("c")
	id := strings.Repeat("1a", 32)
	for name, c := range map[string]struct {
		root   []tw.Attr
		things []tw.Thing
		want   rules.Action
		reason string
	}{
		"lease":                {nil, []tw.Thing{tw.Lease("now", soon, held)}, rules.Keep, `, held by lease "now"`},
		"lease that is over":   {nil, []tw.Thing{tw.Lease("once", over, held)}, rules.Remove, "unused"},
		"lease for good":       {nil, []tw.Thing{tw.Lease("csi", held)}, rules.StandIn, `, held by lease "csi"`},
		"two leases":           {nil, []tw.Thing{tw.Lease("csi", held), tw.Lease("now", soon, held)}, rules.Keep, `, held by lease "now"`},
		"build cache":          {nil, []tw.Thing{tw.Lease("cache", tw.Labelled("containerd.io/gc.flat", "x"), held)}, rules.Remove, "unused"},
		"step of a build":      {nil, []tw.Thing{tw.Lease("l-view", tw.Labelled("buildkit/lease.temporary", "x"), held)}, rules.Remove, "unused"},
		"lease of ours":        {nil, []tw.Thing{tw.Lease("ctr-prune-undo-x", soon, held)}, rules.Remove, "unused"},
		"label":                {[]tw.Attr{rooted}, nil, rules.StandIn, ", kept by its label containerd.io/gc.root"},
		"label of a container": {nil, []tw.Thing{tw.Container("vm", "", "", refers)}, rules.StandIn, "container vm, by its label containerd.io/gc.ref.snapshot.memory"},
		"label of a sandbox":   {nil, []tw.Thing{tw.PodSandbox("vm", refers)}, rules.StandIn, "sandbox vm, by its label containerd.io/gc.ref.snapshot.memory"},
		"nothing":              {nil, nil, rules.Remove, "unused"},
		"CRI's kind of lease":  {nil, []tw.Thing{tw.Lease(id, held)}, rules.StandIn, `, held by lease "` + id + `"`},
	} {
		for kind, snapshot := range map[string]tw.Thing{cause.KindView: tw.View("c", "s1", c.root...), cause.KindWritable: tw.Active("c", "s1", c.root...)} {
			t.Run(name+" "+kind, func(t *testing.T) {
				s := tw.NewScene(t, tw.World{"default": append([]tw.Thing{
					tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), snapshot, tw.Record("x:1", "a"),
				}, c.things...)})
				d := s.Plan(tw.Process(t, 1)).Decisions[0]
				if d.Action != c.want || !strings.Contains(d.Reason, c.reason) {
					t.Errorf("%s: %s", d.Action, d.Reason)
				}
				if c.want != rules.Remove && c.reason[0] == ',' && !strings.Contains(d.Reason, "in use by "+kind+" memory/c"+c.reason) {
					t.Errorf("the reason does not say what holds what: %s", d.Reason)
				}
			})
		}
	}
}

// Programs find what holds what in parts.
func TestPartsOfAMountedSnapshot(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": append(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("x:1", "a"),
		tw.View("v", tw.Layer("1")), tw.Active("w", tw.Layer("1"), tw.Labelled("containerd.io/gc.root", "x")),
		tw.Lease("csi", tw.Holding(tw.TheSnapshot("memory", "v"))))})
	d := s.Plan(tw.Process(t, 1)).Decisions[0]
	got := make(map[string]cause.Holder)
	for _, u := range d.ReasonParts.Users {
		got[u.Kind] = u.Holder
	}
	want := map[string]cause.Holder{
		cause.KindView:     {Kind: cause.KindView, ID: "memory/v", Lease: "csi"},
		cause.KindWritable: {Kind: cause.KindWritable, ID: "memory/w", Label: "containerd.io/gc.root"},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %+v", slices.Collect(maps.Values(got)))
	}
}

// In k8s.io all names of an image stay with the view of a driver on it.
func TestViewInKubernetes(t *testing.T) {
	s := tw.NewScene(t, tw.World{"k8s.io": append(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("docker.io/library/x:1", "a"), tw.Record("docker.io/library/y:1", "a"),
		tw.View("v", tw.Layer("1")), tw.Lease("csi", tw.Holding(tw.TheSnapshot("memory", "v"))))})
	for _, d := range s.Plan(tw.Process(t, 1)).Decisions {
		if d.Action != rules.Keep || !strings.Contains(d.Reason, `view memory/v, held by lease "csi"`) {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
}
