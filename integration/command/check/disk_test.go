package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// needOverlayfs skips a test that has nothing to test without this snapshotter.
func needOverlayfs(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("overlayfs needs root")
	}
}

// snapshotterDir is where a snapshotter keeps its snapshots.
func (n *node) snapshotterDir(name string) string {
	return filepath.Join(n.d.Root(), "io.containerd.snapshotter.v1."+name)
}

// leftover makes a directory of a snapshotter that it has no record of, as it
// is after a kill at the wrong moment.
func (n *node) leftover(snapshotter, entry string) planted {
	path := filepath.Join(n.snapshotterDir(snapshotter), "snapshots", entry)
	n.must(os.MkdirAll(filepath.Join(path, "fs"), 0o700), os.WriteFile(filepath.Join(path, "fs", "file"), make([]byte, 10_000), 0o600))
	return planted{prune.ProblemForgottenFiles, "", path, blocksOf(n, path, filepath.Join(path, "fs"), filepath.Join(path, "fs", "file"))}
}

// deadUpload makes a directory of an upload that no namespace has a record of.
// One without a ref is what a power failure leaves.
func (n *node) deadUpload(ref string) planted {
	path := filepath.Join(n.d.Root(), "io.containerd.content.v1.content", "ingest", digest.FromString(ref).Encoded())
	n.must(os.MkdirAll(path, 0o700))
	files := []string{path, filepath.Join(path, "data")}
	n.must(os.WriteFile(files[1], make([]byte, 5_000), 0o600))
	if ref != "" {
		files = append(files, filepath.Join(path, "ref"))
		n.must(os.WriteFile(files[2], []byte(ref), 0o600))
	}
	return planted{prune.ProblemForgottenUpload, "", path, blocksOf(n, files...)}
}

// cutCommit makes an upload of which containerd has a record and whose data is
// gone, as it is after a kill while it was committed. The data goes while the
// daemon is stopped: it writes to the upload when its client has left.
func (n *node) cutCommit(ref string) planted {
	dir := filepath.Join(n.d.Root(), "io.containerd.content.v1.content", "ingest")
	before, err := os.ReadDir(dir)
	n.must(err)
	_, err = n.Ingest(n.t.Context(), ref, []byte("all of it"))
	n.must(err)
	after, err := os.ReadDir(dir)
	n.must(err)
	after = slices.DeleteFunc(after, func(e os.DirEntry) bool {
		return slices.ContainsFunc(before, func(b os.DirEntry) bool { return b.Name() == e.Name() })
	})
	if len(after) != 1 {
		n.t.Fatalf("%d uploads were added", len(after))
	}
	path := filepath.Join(dir, after[0].Name())
	n.d.Stop()
	n.must(os.Remove(filepath.Join(path, "data")))
	n.d.Up()
	n.Store = n.d.Store("default")
	files, err := filepath.Glob(filepath.Join(path, "*"))
	n.must(err)
	return planted{prune.ProblemForgottenUpload, "", path, blocksOf(n, append(files, path)...)}
}

// blocksOf sums up what files take on the disk.
func blocksOf(n *node, paths ...string) (bytes int64) {
	for _, path := range paths {
		info, err := os.Lstat(path)
		n.must(err)
		bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return bytes
}

// What is on the disk and unknown to containerd is found with what it takes
// there, and removed by a repair where containerd can be made to. For the rest
// the command is told.
func TestFilesUnknownToContainerd(t *testing.T) {
	needOverlayfs(t)
	t.Parallel()
	everywhere(t, func(n *node) {
		n.Snapshotter = "native"
		n.must(n.Add(n.t.Context(), n.image("docker.io/library/native:1")), n.Collect(n.t.Context()))
		healthy := n.state()

		cleaned := []planted{n.leftover("overlayfs", "100"), n.leftover("overlayfs", "new-7"), n.deadUpload("default/9/layer"), n.cutCommit("cut")}
		native, stuck := n.leftover("native", "rm-200"), []planted{n.deadUpload("")}
		if n.stopped { // the collection of a stopped store removes it, that of a daemon never does
			cleaned = append(cleaned, native)
		} else {
			stuck = append(stuck, native)
		}
		found := n.find()
		want(n.t, found, slices.Concat(cleaned, stuck)...)
		n.repair(found)
		left := n.find()
		want(n.t, left, stuck...)
		for _, f := range left {
			if f.Repairable || f.Fix != "stop containerd, then: rm -r "+f.Object {
				n.t.Errorf("%s can be repaired %v, by %q", f.Object, f.Repairable, f.Fix)
			}
			n.must(os.RemoveAll(f.Object))
		}
		want(n.t, n.find())
		if lost := missing(healthy.Files, n.state().Files); len(lost) > 0 {
			n.t.Errorf("the repair took blobs that were in order: %v", lost)
		}
	})
}

func missing(before, after map[digest.Digest]int64) (lost []digest.Digest) {
	for dgst := range before {
		if _, ok := after[dgst]; !ok {
			lost = append(lost, dgst)
		}
	}
	return lost
}

// A snapshot whose files are gone, whole or in part, is found, and what is
// offered repairs it.
func TestLostSnapshot(t *testing.T) {
	needOverlayfs(t)
	t.Parallel()
	everywhere(t, func(n *node) {
		n.d.Stop()
		entries, err := os.ReadDir(filepath.Join(n.snapshotterDir("overlayfs"), "snapshots"))
		n.must(err)
		n.d.Up()
		n.Store = n.d.Store("default")
		whole, part := n.image("docker.io/library/whole:1"), n.image("docker.io/library/part:1")
		n.must(n.Add(n.t.Context(), whole), n.Add(n.t.Context(), part))
		added := n.added(entries)
		if len(added) != 4 {
			n.t.Fatalf("%d snapshots were added: %v", len(added), added)
		}
		// The upper snapshot of each, in the order in which they were made.
		n.must(os.RemoveAll(added[1]), os.RemoveAll(filepath.Join(added[3], "fs")))
		lost := func(img *imagestore.Image) planted {
			return planted{prune.ProblemLostSnapshot, "default", "overlayfs/" + img.ChainIDs()[1], 0}
		}
		want(n.t, n.find(), lost(whole), lost(part))

		if !n.d.Running() {
			n.d.Up()
			n.Store = n.d.Store("default")
		}
		for _, img := range []*imagestore.Image{whole, part} {
			n.must(n.Client.SnapshotService("overlayfs").Remove(n.Context(n.t.Context()), img.ChainIDs()[1]))
		}
		n.must(n.Collect(n.t.Context()))
		want(n.t, n.find())
	})
}

// A view that native makes of another snapshot has no files of its own, and is in
// order.
func TestViewOfNativeIsNotLost(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		n.Snapshotter = "native"
		img := n.image("docker.io/library/native:1")
		n.must(n.Add(n.t.Context(), img))
		n.must(n.Lease(n.t.Context(), imagestore.LeaseSpec{ID: "views", Resources: []leases.Resource{{ID: "view", Type: "snapshots/native"}}}))
		_, err := n.Client.SnapshotService("native").View(n.Context(n.t.Context()), "view", img.ChainIDs()[1])
		n.must(err)
		want(n.t, n.find())
	})
}

// added lists the directories of overlayfs that were not there, in the order of
// their numbers.
func (n *node) added(before []os.DirEntry) (paths []string) {
	dir := filepath.Join(n.snapshotterDir("overlayfs"), "snapshots")
	entries, err := os.ReadDir(dir)
	n.must(err)
	slices.SortFunc(entries, func(a, b os.DirEntry) int {
		if len(a.Name()) != len(b.Name()) {
			return len(a.Name()) - len(b.Name())
		}
		return slices.Compare([]byte(a.Name()), []byte(b.Name()))
	})
	for _, e := range entries {
		if !slices.ContainsFunc(before, func(b os.DirEntry) bool { return b.Name() == e.Name() }) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// A snapshotter that has lost its database has lost all, which is one finding.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		n.Snapshotter = "native"
		n.must(n.Add(n.t.Context(), n.image("docker.io/library/native:1")))
		n.d.Stop()
		path := filepath.Join(n.snapshotterDir("native"), "metadata.db")
		n.must(os.Remove(path))
		n.d.Up()
		n.Store = n.d.Store("default")
		if n.stopped {
			n.d.Unopenable("the root is refused, because a snapshotter with snapshots has no database")
			return
		}
		found := n.find()
		if i := slices.IndexFunc(found, func(f prune.Finding) bool { return f.Problem == prune.ProblemLostDatabase }); i < 0 || found[i].Object != path {
			n.t.Errorf("found %+v", found)
		}
		// The collection in the end makes a new one.
		n.d.Expect(prune.ProblemLostDatabase, prune.ProblemForgottenFiles)
	})
}

// Blobs that a power failure has cut off, and on request those whose bytes are
// others, are found.
func TestDamagedBlobs(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		img := n.image("docker.io/library/damaged:1")
		n.must(n.Write(n.t.Context(), img))
		cut, altered := img.Layers[0].Desc, img.Layers[1].Desc
		cutFile, alteredFile := n.d.BlobFile(cut.Digest), n.d.BlobFile(altered.Digest)
		n.must(os.Chmod(cutFile, 0o644), os.Truncate(cutFile, 0))
		n.must(os.Chmod(alteredFile, 0o644), os.WriteFile(alteredFile, make([]byte, altered.Size), 0o644))
		want(n.t, n.find(), planted{prune.ProblemDamaged, "default", cut.Digest.String(), cut.Size})
		n.d.Expect(prune.ProblemDamaged)

		store := n.open()
		all, err := prune.Check(n.t.Context(), store, time.Now(), prune.CheckOptions{Verify: true})
		n.must(err, store.Close())
		want(n.t, all.Findings,
			planted{prune.ProblemDamaged, "default", cut.Digest.String(), cut.Size},
			planted{prune.ProblemDamaged, "default", altered.Digest.String(), altered.Size})
	})
}

// discard removes the layers of an image, and the labels that say that there
// were some, as a pull that discards unpacked layers does.
func (n *node) discard(img *imagestore.Image) {
	ctx := n.Context(n.t.Context())
	cs := n.Client.ContentStore()
	info, err := cs.Info(ctx, img.Target.Digest)
	n.must(err)
	fields := []string{}
	for key := range info.Labels {
		if strings.HasPrefix(key, "containerd.io/gc.ref.content.l.") {
			info.Labels[key] = ""
			fields = append(fields, "labels."+key)
		}
	}
	_, err = cs.Update(ctx, info, fields...)
	n.must(err)
	for _, layer := range img.Layers {
		if err := cs.Delete(ctx, layer.Desc.Digest); !errdefs.IsNotFound(err) { // a collection may have been quicker
			n.must(err)
		}
	}
}

// An image is whole if a container can be made of it: from its snapshots, also
// where no label leads to them, or from its layers.
func TestImageWithoutLayersIsWholeOnlyIfUnpacked(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		unpacked, unlabelled, packed := n.image("docker.io/library/unpacked:1"), n.image("docker.io/library/unlabelled:1"), n.image("docker.io/library/packed:1")
		n.must(n.Add(n.t.Context(), unpacked), n.Add(n.t.Context(), unlabelled), n.Write(n.t.Context(), packed))
		for _, img := range []*imagestore.Image{unpacked, unlabelled, packed} {
			n.discard(img)
		}
		// Something else holds the snapshots, as build history does.
		ctx := n.Context(n.t.Context())
		n.must(n.Lease(n.t.Context(), imagestore.LeaseSpec{ID: "holder", Resources: []leases.Resource{n.SnapshotResource(unlabelled.ChainIDs()[1])}}))
		info, err := n.Client.ContentStore().Info(ctx, unlabelled.Config.Desc.Digest)
		n.must(err)
		label := "containerd.io/gc.ref.snapshot." + n.Snapshotter
		if info.Labels[label] == "" {
			n.t.Fatalf("labels of the config: %v", info.Labels)
		}
		info.Labels[label] = ""
		_, err = n.Client.ContentStore().Update(ctx, info, "labels."+label)
		n.must(err)
		n.must(n.Collect(n.t.Context()))
		n.d.Expect(prune.ProblemIncomplete)
		want(n.t, n.find(), planted{prune.ProblemIncomplete, "default", packed.Name, bytesOf(packed.Without(packed.Layers[0].Desc.Digest, packed.Layers[1].Desc.Digest))})
	})
}
