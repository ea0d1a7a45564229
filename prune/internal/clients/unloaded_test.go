package clients_test

import (
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Nobody can see on which image a container stands whose snapshotter is not
// loaded, and what the container calls it may be another image by now.
func TestContainerOfAnUnloadedSnapshotter(t *testing.T) {
	const closed = `keep: container c is based on a snapshot of snapshotter "gone", which containerd has not loaded, so its image is unknown: load that snapshotter again, or remove what uses it`
	cri := func(ref string) tw.Attr {
		return tw.Extension(inventory.ExtensionCRIContainer, `{"Version":"v1","Metadata":{"ImageRef":"`+ref+`"}}`)
	}
	nameless := "overlayfs@" + tw.Digest("a").String()
	images := []tw.Thing{tw.Blob("b"), tw.Blob("a"), tw.Record("docker.io/library/x:1", "b"), tw.Record(nameless, "a")}
	for title, c := range map[string]struct {
		container tw.Thing
		want      []string
	}{
		"by a name that moved": {
			tw.Container("c", "docker.io/library/x:1", "rw", tw.In("gone")),
			[]string{"docker.io/library/x:1: " + closed, "overlayfs@«a»: " + closed},
		},
		"by a digest": { // CRI tells what it uses, wherever it stands
			tw.Container("c", "docker.io/library/x:1", "rw", tw.In("gone"), cri(tw.Digest("a").String())),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: keep: stands in for an image in use by container c"},
		},
		"without a snapshot": {
			tw.Container("c", "docker.io/library/x:1", "", tw.In("gone")),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: remove: unused and dangling"},
		},
	} {
		t.Run(title, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), tw.With(images, c.container), c.want) })
	}
}

// What a lease holds in such a snapshotter may stand on any image. Not all
// leases are of those who use images, and some say which.
func TestLeaseOnAnUnloadedSnapshotter(t *testing.T) {
	const keep = `docker.io/library/x:1: keep: what lease "l" holds is based on a snapshot of snapshotter "gone", which containerd has not loaded, so its image is unknown: load that snapshotter again, or remove what uses it`
	const remove = "docker.io/library/x:1: remove: unused"
	held := tw.Holding(tw.TheSnapshot("gone", "v"))
	for title, c := range map[string]struct {
		lease tw.Thing
		want  string
	}{
		"of a client that is not known": {tw.Lease("l", held), keep},
		"of a container being created":  {tw.Lease("l", held, tw.Labelled("containerd.io/gc.expire", "2200-01-01T00:00:00Z")), keep},
		"that has expired":              {tw.Lease("l", held, tw.Labelled("containerd.io/gc.expire", "2000-01-01T00:00:00Z")), remove},
		"of build cache":                {tw.Lease("l", held, tw.Labelled("containerd.io/gc.flat", "yes")), remove},
		"in a snapshotter that is here": {tw.Lease("l", tw.Holding(tw.TheSnapshot("memory", "v"))), remove},
	} {
		t.Run(title, func(t *testing.T) {
			tw.CheckDecided(t, "default", tw.All(), []tw.Thing{tw.Blob("a"), tw.Record("docker.io/library/x:1", "a"), c.lease}, []string{c.want})
		})
	}
}

// That snapshots cannot be looked at is told.
func TestUnloadedSnapshotterIsNoted(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.Labelled("containerd.io/gc.ref.snapshot.gone", "k")), tw.Record("x:1", "a"),
	}})
	want := []string{`images of namespace "default" (1) are unpacked in snapshotter "gone", which containerd has not loaded: what is based on their snapshots, and their size, is unknown`}
	if notes := tw.Reasons(s.Plan(proc.Procfs{}).Notes); !slices.Equal(notes, want) {
		t.Errorf("notes %q", notes)
	}
}
