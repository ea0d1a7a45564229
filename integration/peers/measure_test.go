package peers

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// run is what one run did.
type run struct {
	took time.Duration
	// claimed is what the program says was reclaimed, freed what the disk
	// gave back: apparent bytes of content, allocated ones of the files of
	// snapshots.
	claimed, freed int64
	// lost are the ways in which containers use the images that were lost.
	lost []string
}

func (s *scene) measure(t *testing.T, p program) (r run) {
	t.Helper()
	if lost := s.lost(t); len(lost) > 0 {
		t.Fatalf("images in use that were not whole before the run: %q", lost)
	}
	before := s.bytes(t)
	s.logged = len(s.Log())
	unix.Sync() // what the copy left to write is not to be paid by who comes next
	start := time.Now()
	r.claimed = p.run(t, s)
	r.took = time.Since(start)
	r.freed = before - s.bytes(t)
	r.lost = s.lost(t)
	return r
}

// collections are those since the run began that the log tells of.
func (s *scene) collections() int {
	return strings.Count(s.Log()[s.logged:], `"garbage collected"`)
}

// lost lists how the images are used that a container was made from and that
// are not whole any more: no record points to them, or a blob is gone.
func (s *scene) lost(t *testing.T) (how []string) {
	t.Helper()
	state := s.Capture()
	for _, u := range s.used {
		if !whole(state, s.namespace, u) {
			how = append(how, u.how)
		}
	}
	return how
}

func whole(state *oracle.State, namespace string, u use) bool {
	ns := state.Namespaces[namespace]
	if ns == nil {
		return false
	}
	recorded := false
	for _, record := range ns.Images {
		recorded = recorded || record.Target.Digest == u.img.Target.Digest
	}
	return recorded && !slices.ContainsFunc(u.img.Blobs(), func(b blob) bool {
		_, known := ns.Content[b.Desc.Digest]
		_, there := state.Files[b.Desc.Digest]
		return !known || !there
	})
}

// bytes is what content and the files of snapshots take on the disk. The two
// folders that overlayfs has for each snapshot beside its files are left out,
// as containerd leaves them out of a snapshot's usage, and so every program.
func (s *scene) bytes(t *testing.T) (sum int64) {
	t.Helper()
	for _, size := range s.Capture().Files {
		sum += size
	}
	seen := make(map[uint64]bool)
	snapshots := filepath.Join(s.Root(), "io.containerd.snapshotter.v1."+s.Snapshotter(), "snapshots")
	s.must(t, filepath.WalkDir(snapshots, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(snapshots, path)
		if err != nil {
			return err
		}
		if parts := strings.Split(within, "/"); len(parts) < 2 || parts[1] != "fs" {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		if !seen[stat.Ino] {
			seen[stat.Ino] = true
			sum += stat.Blocks * 512
		}
		return nil
	}))
	return sum
}
