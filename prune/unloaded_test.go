package prune

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Nobody can see on which image a container stands whose snapshotter is not
// loaded, and what the container calls it may be another image by now.
func TestContainerOfAnUnloadedSnapshotter(t *testing.T) {
	const closed = `keep: container c stands on a snapshot of "gone", which containerd has not loaded, so that its image cannot be told: load that snapshotter again, or remove what uses it`
	cri := func(ref string) attr {
		return extension(inventory.ExtensionCRIContainer, `{"Version":"v1","Metadata":{"ImageRef":"`+ref+`"}}`)
	}
	nameless := "overlayfs@" + dig("a").String()
	images := []thing{blob("b"), blob("a"), record("docker.io/library/x:1", "b"), record(nameless, "a")}
	for title, c := range map[string]struct {
		container thing
		want      []string
	}{
		"by a name that moved": {
			container("c", "docker.io/library/x:1", "rw", in("gone")),
			[]string{"docker.io/library/x:1: " + closed, "overlayfs@«a»: " + closed},
		},
		"by a digest": { // CRI tells what it uses, wherever it stands
			container("c", "docker.io/library/x:1", "rw", in("gone"), cri(dig("a").String())),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: keep: stands in for an image in use by container c"},
		},
		"without a snapshot": {
			container("c", "docker.io/library/x:1", "", in("gone")),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: remove: unused and dangling"},
		},
	} {
		t.Run(title, func(t *testing.T) { checkDecided(t, "default", all(), with(images, c.container), c.want) })
	}
}

// What a lease holds in such a snapshotter may stand on any image. Not all
// leases are of those who use images, and some say which.
func TestLeaseOnAnUnloadedSnapshotter(t *testing.T) {
	const keep = `docker.io/library/x:1: keep: what lease "l" holds stands on a snapshot of "gone", which containerd has not loaded, so that its image cannot be told: load that snapshotter again, or remove what uses it`
	const remove = "docker.io/library/x:1: remove: unused"
	held := holding(theSnapshot("gone", "v"))
	for title, c := range map[string]struct {
		lease thing
		want  string
	}{
		"of a client that is not known": {lease("l", held), keep},
		"of a container being created":  {lease("l", held, labelled("containerd.io/gc.expire", "2200-01-01T00:00:00Z")), keep},
		"that has expired":              {lease("l", held, labelled("containerd.io/gc.expire", "2000-01-01T00:00:00Z")), remove},
		"of build cache":                {lease("l", held, labelled("containerd.io/gc.flat", "yes")), remove},
		"in a snapshotter that is here": {lease("l", holding(theSnapshot("memory", "v"))), remove},
	} {
		t.Run(title, func(t *testing.T) {
			checkDecided(t, "default", all(), []thing{blob("a"), record("docker.io/library/x:1", "a"), c.lease}, []string{c.want})
		})
	}
}

// That snapshots cannot be looked at is told.
func TestUnloadedSnapshotterIsNoted(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", labelled("containerd.io/gc.ref.snapshot.gone", "k")), record("x:1", "a"),
	}})
	want := []string{`images of namespace "default" are unpacked in snapshotter "gone", which containerd has not loaded (1): what stands on their snapshots and what these take is not known`}
	if notes := s.plan(leases.Procfs{}).Notes; !slices.Equal(notes, want) {
		t.Errorf("notes %q", notes)
	}
}

// forgetful is a store whose containerd is started again during the run, without
// a snapshotter.
type forgetful struct {
	store.Store
	again func() bool
}

func (s forgetful) Info(ctx context.Context) (store.StoreInfo, error) {
	info, err := s.Store.Info(ctx)
	if s.again() {
		info.Snapshotters = slices.DeleteFunc(slices.Clone(info.Snapshotters), func(name string) bool { return name == "memory" })
	}
	return info, err
}

// What nobody can look for is not counted as freed.
func TestSnapshotterIsLostDuringTheRun(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
	}})
	deleted := false
	s.tape.before = func(call string) error {
		deleted = deleted || strings.HasPrefix(call, "delete")
		return nil
	}
	store := forgetful{s.tape, func() bool { return deleted }}
	report, err := run.Execute(context.Background(), s.plan(leases.Procfs{}), store, run.ExecuteOptions{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), `has lost snapshotter ["memory"]`) {
		t.Errorf("the run ended with %v", err)
	}
	if freed := report.Reclaimed; freed.Snapshots != 0 || freed.Blobs != 2 {
		t.Errorf("the report says that %+v was freed", freed)
	}
}
