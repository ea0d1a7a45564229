package outage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// survived looks at what an outage left: nothing that stays is lost, and what
// is to go is held or has its record.
func (b *bed) survived(what string) *oracle.State {
	b.t.Helper()
	left := b.d.Capture()
	if err := oracle.Check(b.full, left, oracle.AllowOrphanedSnapshots()); err != nil {
		b.t.Errorf("%s: harm:\n%v", what, err)
	}
	if err := oracle.CheckUntouched(b.full, left); err != nil {
		b.t.Errorf("%s: touched:\n%v", what, err)
	}
	was, is := b.full.Namespaces["default"], left.Namespaces["default"]
	if _, leased := is.Leases[leases.RunID]; !leased {
		return left
	}
	for d := range was.Content {
		_, known := is.Content[d]
		if _, file := left.Files[d]; !known || !file {
			b.t.Errorf("%s: the run lease is there, but blob %s is not: known %v, file %v", what, d, known, file)
		}
	}
	// What both runs take away is judged together.
	is.Images = was.Images
	return left
}

// recovered lets the next run finish, and the check repair what that leaves, and
// holds the store to what an undisturbed run leaves. It returns how many blobs
// containerd had forgotten.
func (b *bed) recovered(what string) int {
	b.t.Helper()
	left := b.survived(what)
	lost := forgotten(left)
	strays := b.strayUploads(left)
	doc := b.run().Document()
	after := b.d.Capture()
	if err := oracle.Check(left, after, oracle.AllowOrphanedSnapshots()); err != nil {
		b.t.Errorf("%s: the next run did harm:\n%v", what, err)
	}
	truthful(b.t, what, doc, left, after, b.removed(strays))
	b.repair(what, forgotten(after))
	b.complete(what)
	if third := b.run().Document(); third.Counts.Remove+third.Counts.StandIn+len(third.Recovered) > 0 {
		b.t.Errorf("%s: a third run has something to do: %+v, recovered %+v", what, third.Counts, third.Recovered)
	}
	b.fill()
	return len(lost)
}

// strayUploads are the folders of uploads that containerd does not list, with what
// they take on the disk: it makes a folder before it lists the upload, and may die in
// between.
func (b *bed) strayUploads(s *oracle.State) map[string]int64 {
	b.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(b.d.Root(), "io.containerd.content.v1.content", "ingest", "*"))
	b.must(err)
	strays := make(map[string]int64)
	for _, dir := range dirs {
		ref, err := os.ReadFile(filepath.Join(dir, "ref"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.t.Fatal(err)
		}
		parts := strings.SplitN(string(ref), "/", 3) // the namespace, a number, the name
		if len(parts) == 3 && s.Namespaces[parts[0]] != nil {
			if _, listed := s.Namespaces[parts[0]].Ingests[parts[2]]; listed {
				continue
			}
		}
		out, err := exec.Command("du", "--summarize", "--block-size=1", dir).Output()
		b.must(err)
		var bytes int64
		_, err = fmt.Sscan(string(out), &bytes)
		b.must(err)
		strays[dir] = bytes
	}
	return strays
}

// removed is what those of the folders took that are gone.
func (b *bed) removed(dirs map[string]int64) (bytes int64) {
	b.t.Helper()
	for dir, size := range dirs {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			bytes += size
		}
	}
	return bytes
}

// truthful fails the test if a run counts more or less than what it freed: the
// files of blobs that containerd had forgotten are not its merit, those of uploads are.
func truthful(t interface{ Errorf(string, ...any) }, what string, doc prune.Document, before, after *oracle.State, uploads int64) {
	freed := oracle.DiskFreed(before, after) + uploads
	for d, size := range forgotten(before) {
		if _, there := after.Files[d]; !there {
			freed -= size
		}
	}
	if told := doc.Reclaimed.ContentBytes + doc.Garbage.ContentBytes; told != freed {
		t.Errorf("%s: the disk gave back %d bytes of what containerd knew, the run says %d", what, freed, told)
	}
}

// forgotten are the blob files that no namespace knows, with their sizes.
func forgotten(s *oracle.State) map[digest.Digest]int64 {
	lost := make(map[digest.Digest]int64)
	for d, size := range s.Files {
		lost[d] = size
		for _, ns := range s.Namespaces {
			if _, known := ns.Content[d]; known {
				delete(lost, d)
			}
		}
	}
	return lost
}

// complete fails the test unless the store is what an undisturbed run leaves,
// on the disk as well.
func (b *bed) complete(what string) {
	b.t.Helper()
	b.must(b.store().Collect(b.t.Context()))
	end := b.d.Capture()
	if diff := oracle.Differences(b.pruned, end); diff != "" {
		b.t.Errorf("%s: not as after an undisturbed run:\n%s", what, diff)
	}
	known := len(end.Namespaces["default"].Snapshots)
	dirs := b.snapshotDirs()
	if dirs > known {
		b.t.Logf("%s: %d folders for %d snapshots, until the next one is removed", what, dirs, known)
		b.removeSnapshot()
		dirs = b.snapshotDirs()
	}
	if dirs != known {
		b.t.Errorf("%s: %d folders for %d snapshots", what, dirs, known)
	}
}

// removeSnapshot makes a snapshot and removes it: containerd looks at the
// snapshotter again then. One that ended among removals does not before.
func (b *bed) removeSnapshot() {
	b.t.Helper()
	const key = "looked-at"
	s := b.store()
	ctx := s.Context(b.t.Context())
	snapshots := s.Client.SnapshotService(s.Snapshotter)
	_, err := snapshots.Prepare(ctx, key, "")
	b.must(err, snapshots.Remove(ctx, key), s.Collect(b.t.Context()))
}

// snapshotDirs counts the folders of snapshots.
func (b *bed) snapshotDirs() int {
	b.t.Helper()
	dirs, err := os.ReadDir(filepath.Join(b.d.Root(), "io.containerd.snapshotter.v1."+b.d.Snapshotter(), "snapshots"))
	b.must(err)
	return len(dirs)
}

// soak returns how long the long mode goes on, 0 in the normal one.
func (b *bed) soak() time.Duration {
	b.t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	b.must(err)
	return d
}
