package lock

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
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

// database is containerd's own metadata in a directory of the test.
type database struct {
	ctx     context.Context
	dir     string
	db      *metadata.DB
	manager leases.Manager
	content content.Store
}

func newDatabase(t *testing.T) database {
	t.Helper()
	dir := t.TempDir()
	bdb := must(bolt.Open(filepath.Join(dir, "meta.db"), 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true}))
	db := metadata.NewDB(bdb, must(local.NewStore(filepath.Join(dir, "content"))), nil)
	t.Cleanup(func() { must(0, db.Close()) })
	ctx := namespaces.WithNamespace(context.Background(), "test")
	must(0, db.Init(ctx))
	return database{ctx: ctx, dir: dir, db: db, manager: metadata.NewLeaseManager(db), content: db.ContentStore()}
}

// ids lists the leases of the store.
func (s database) ids() []string {
	ids := []string{}
	for _, lease := range must(s.manager.List(s.ctx)) {
		ids = append(ids, lease.ID)
	}
	return ids
}

// free deletes the run lease, whose ever it is.
func (s database) free() error { return s.manager.Delete(s.ctx, leases.Lease{ID: ours.RunID}) }

// noon is when the tests' runs start, to the second as labels keep times.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// machine is a procfs with one booted kernel and one PID namespace.
type machine struct{ dir string }

const (
	bootNow   = "5a2c0e5f-7b5c-4a58-9d3c-0d4f4c6a1b11"
	pidnsHere = "pid:[4026531836]"
)

func newMachine(t *testing.T) machine {
	m := machine{t.TempDir()}
	m.write("sys/kernel/random/boot_id", bootNow+"\n")
	must(0, os.MkdirAll(filepath.Join(m.dir, "self/ns"), 0o700))
	must(0, os.Symlink(pidnsHere, filepath.Join(m.dir, "self/ns/pid")))
	m.runs(1, 3)
	return m
}

// runs shows a process as one that runs.
func (m machine) runs(pid int, start uint64) {
	stat := fmt.Sprintf("%d (ctr-prune) S%s %d 11112222\n", pid, strings.Repeat(" 7", 18), start)
	m.write(fmt.Sprint(pid)+"/stat", stat)
}

func (m machine) write(path, text string) {
	full := filepath.Join(m.dir, path)
	must(0, os.MkdirAll(filepath.Dir(full), 0o700))
	must(0, os.WriteFile(full, []byte(text), 0o600))
}

func (m machine) procfs() proc.Procfs { return proc.Procfs{Root: m.dir} }
