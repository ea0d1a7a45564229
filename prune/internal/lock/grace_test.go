package lock

import (
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// A grace keeps what the run held, after the run.
func TestGrace(t *testing.T) {
	s := newDatabase(t)
	l := Locker{Manager: s.manager}
	run := Run{Name: "r", Start: noon, Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second)}
	must(0, l.Lock(s.ctx, "test", run, noon))
	victim := s.put("victim")
	must(Hold(s.ctx, s.content, []byte("plan"), []digest.Digest{victim}))
	top := leases.Resource{Type: "snapshots/native", ID: "top"}
	must(0, l.Keep(s.ctx, run, []leases.Resource{top}))
	must(0, s.free())
	s.collect()

	if !s.has(victim) {
		t.Error("the victim is gone")
	}
	var docs []string
	must(0, Kept(s.ctx, s.manager, s.content, "r", func(doc []byte) error { docs = append(docs, string(doc)); return nil }))
	if len(docs) != 1 || docs[0] != "plan" {
		t.Errorf("plans %q", docs)
	}
	kept := must(s.manager.List(s.ctx))[0]
	resources := must(s.manager.ListResources(s.ctx, kept))
	want := []leases.Resource{{Type: "content", ID: digest.FromString("plan").String()}, top}
	if diff := cmp.Diff(want, resources); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	if got, ok := ParseRun(kept); !ok || kept.ID != ours.KindGrace.ID("r") || got.Name != "r" || !got.Expires.Equal(run.Expires) {
		t.Errorf("the grace is lease %q of run %+v, %v", kept.ID, got, ok)
	}
	must(l.DropGrace(s.ctx, "r", false))
	must(l.DropGrace(s.ctx, "r", false)) // it is gone: that is what was wanted
	s.collect()
	if s.has(victim) {
		t.Error("the victim outlives the grace")
	}
}

// Keep fails without the run lease, whose holdings it takes over.
func TestKeepNeedsTheLease(t *testing.T) {
	s := newDatabase(t)
	if err := (Locker{Manager: s.manager}).Keep(s.ctx, Run{Name: "r"}, nil); err == nil {
		t.Error("a grace was made of nothing")
	}
}
