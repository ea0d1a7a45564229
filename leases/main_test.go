package leases

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/log"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

// TestMain fails the package's tests if a goroutine outlives them.
func TestMain(m *testing.M) {
	must(0, log.SetLevel("error")) // a file system without fs-verity is no news
	goleak.VerifyTestMain(m)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// store is containerd's own metadata in a directory of the test.
type store struct {
	ctx     context.Context
	dir     string
	db      *metadata.DB
	manager leases.Manager
	content content.Store
}

func newStore(t *testing.T) store {
	t.Helper()
	dir := t.TempDir()
	bdb := must(bolt.Open(filepath.Join(dir, "meta.db"), 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true}))
	db := metadata.NewDB(bdb, must(local.NewStore(filepath.Join(dir, "content"))), nil)
	t.Cleanup(func() { must(0, db.Close()) })
	ctx := namespaces.WithNamespace(context.Background(), "test")
	must(0, db.Init(ctx))
	return store{ctx: ctx, dir: dir, db: db, manager: metadata.NewLeaseManager(db), content: db.ContentStore()}
}

// ids lists the leases of the store.
func (s store) ids() []string {
	ids := []string{}
	for _, lease := range must(s.manager.List(s.ctx)) {
		ids = append(ids, lease.ID)
	}
	return ids
}

// free deletes the run lease, whose ever it is.
func (s store) free() error { return s.manager.Delete(s.ctx, leases.Lease{ID: RunID}) }

// noon is when the tests' runs start, to the second as labels keep times.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// machine is a procfs with one booted kernel and one PID namespace.
type machine struct {
	t   *testing.T
	dir string
}

const (
	bootNow    = "5a2c0e5f-7b5c-4a58-9d3c-0d4f4c6a1b11"
	bootBefore = "00000000-7b5c-4a58-9d3c-0d4f4c6a1b11"
	pidnsHere  = "pid:[4026531836]"
	pidnsOther = "pid:[4026532999]"
)

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	m.write("sys/kernel/random/boot_id", bootNow+"\n")
	must(0, os.MkdirAll(filepath.Join(m.dir, "self/ns"), 0o700))
	must(0, os.Symlink(pidnsHere, filepath.Join(m.dir, "self/ns/pid")))
	m.write("1/stat", stat("1 (init) S", 3))
	return m
}

func (m machine) write(path, text string) {
	full := filepath.Join(m.dir, path)
	must(0, os.MkdirAll(filepath.Dir(full), 0o700))
	must(0, os.WriteFile(full, []byte(text), 0o600))
}

// opens shows what a process has open.
func (m machine) opens(pid int, links ...string) {
	dir := filepath.Join(m.dir, itoa(pid), "fd")
	must(0, os.MkdirAll(dir, 0o700))
	for fd, link := range links {
		must(0, os.Symlink(link, filepath.Join(dir, itoa(fd))))
	}
}

func (m machine) procfs() Procfs { return Procfs{Root: m.dir} }
