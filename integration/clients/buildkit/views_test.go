package buildkit

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What buildkit has mounted of its cache stays mounted when the build has ended,
// under a lease without an expiry. It is told as that, and goes as is said: by a
// prune of the cache, or when buildkit is started again.
func TestMountsOutliveTheBuild(t *testing.T) {
	b := Start(t, "buildkit")
	dir := rootfs(t, "exit")
	for _, ends := range []func(){func() { b.Ctl("prune", "--all") }, func() { b.StopBuilder(); b.StartBuilder() }} {
		write(t, dir, "data", time.Now().String())
		b.Build(dir, image)
		b.Settle()
		views := b.views()
		if len(views) == 0 {
			t.Fatal("nothing is mounted after a build")
		}
		for _, view := range views {
			const says = "it outlives its build: `buildctl prune --all` frees it, and so does the next start of buildkit"
			if view.Action != prune.Keep || !strings.HasSuffix(view.Reason, says) || !view.Expires.IsZero() {
				t.Errorf("%+v", view)
			}
		}
		b.explained(views[0])
		ends()
		if left := b.views(); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
	}
}

// views lists the leases of mounted cache.
func (b *Builder) views() (views []prune.LeaseInfo) {
	b.tb.Helper()
	store := b.Open()
	defer store.Close()
	list, err := prune.Leases(b.tb.Context(), store, time.Now(), prune.ReadOptions{})
	if err != nil {
		b.tb.Fatal(err)
	}
	for _, l := range list {
		if l.Kind == leases.KindView {
			views = append(views, l)
		}
	}
	return views
}

// explained fails the test unless the snapshot of a mount names the lease and
// what ends it.
func (b *Builder) explained(view prune.LeaseInfo) {
	b.tb.Helper()
	store := b.Open()
	defer store.Close()
	e, err := prune.Explain(b.tb.Context(), store, b.Snapshotter()+"/"+view.ID,
		prune.Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Now(), prune.ReadOptions{})
	if err != nil {
		b.tb.Fatal(err)
	}
	if len(e.KeptBy) != 1 || e.KeptBy[0].HeldBy.Name != view.ID || e.KeptBy[0].HolderParts.Command != "buildctl prune --all" {
		b.tb.Errorf("kept by %+v", e.KeptBy)
	}
}
