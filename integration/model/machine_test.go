package model

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	snapshotter = "native" // needs neither root nor mounts
	historyOf   = "_history"
	criSpace    = "k8s.io"
)

// spaces are the namespaces that clients use.
var spaces = []string{"default", "other", criSpace}

// machine is one store with its clients, its pruners and its clock. What there
// is to choose from is read from the store at each step, so nothing that the
// machine believes can be wrong.
type machine struct {
	t     *rapid.T
	ctx   context.Context
	dir   string // of the machine
	root  string // of the store
	store prune.Store
	// subscription is that of the run under way, or of the last one.
	subscription *subscription
	// client is containerd's own, over the same services.
	client *containerd.Client
	*bed

	did   []string // the steps so far
	made  int      // numbers what gets a name
	boots int      // a killed run is known by the boot that it does not share
	// killed is a run that was killed and that nobody has finished.
	killed *killed
	// graces are the stores as they were before each run with a grace.
	graces map[string]grace
	// frees is what a prune of everything would have freed before this step.
	frees prune.Amount
	// journal is that of the run under way among others.
	journal *journal
	// seen are the states of the store during that run, and newcomers the
	// containers that were created.
	seen      []*oracle.State
	newcomers []*newcomer
	// plans are plan files that wait to be applied.
	plans []planFile
	// sources are those of the run under way that tell of uses.
	sources []prune.Source
	// tied says that records of this store may hang on others.
	tied bool
	// rootAdded says that this step has only added to what is in use.
	rootAdded bool
}

// killed is what a killed run leaves to the next.
type killed struct {
	// lost has as images the records that it removed, and what they say.
	lost  *oracle.State
	whole bool      // it had given back no lease
	until time.Time // the end of its lease
}

// bed is what all machines of a test share.
type bed struct {
	empty string // a containerd root in which nothing was ever done, to be copied
	shelf *catalog
	tally *tally
	log   *testing.T
	told  atomic.Int64
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{empty: t.TempDir(), shelf: newCatalog(), tally: newTally(), log: t}
	e, err := imagestore.OpenEmbedded(t.Context(), b.empty, snapshotter)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(prepareRoot(e), e.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

// prepareRoot makes what the content store and the snapshotter make with their
// first work: a root without it was never used, and is refused.
func prepareRoot(e *imagestore.Embedded) error {
	ctx := namespaces.WithNamespace(context.Background(), "default")
	sn := e.Client().SnapshotService(snapshotter)
	if _, err := sn.Prepare(ctx, "first", ""); err != nil {
		return err
	}
	if err := sn.Remove(ctx, "first"); err != nil {
		return err
	}
	err := content.WriteBlob(ctx, e.Client().ContentStore(), "first", strings.NewReader("first"), ocispec.Descriptor{})
	if err != nil {
		return err
	}
	return e.Store("default").Collect(ctx)
}

func newMachine(t *rapid.T, b *bed, dir string) *machine {
	m := &machine{t: t, ctx: context.Background(), dir: dir, root: filepath.Join(dir, "root"), bed: b, graces: map[string]grace{}}
	m.must(copyTree(b.empty, m.root))
	m.open()
	m.tied = !oneIn(t, 3, "untied")
	return m
}

// must fails the test for errors that are not the business of any invariant.
func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%v", err)
	}
}

// mostTold bounds how many broken promises are told of in full.
const mostTold = 4

// errorf notes a broken promise. rapid tells only of the shortest history that
// breaks one, and of none if that depends on which goroutine was first; so the
// first ones are told with what went before them.
func (m *machine) errorf(format string, args ...any) {
	m.t.Helper()
	m.t.Errorf(format, args...)
	if m.told.Add(1) <= mostTold {
		m.log.Logf("after %q\n%s", m.did, fmt.Sprintf(format, args...))
		if m.journal != nil {
			m.log.Logf("in this order:\n%s", m.journal)
		}
	}
}

func (m *machine) open() {
	m.t.Helper()
	store, err := prune.OpenRoot(m.ctx, m.root)
	m.must(err)
	m.store = store
	m.client, err = imagestore.Over(store, snapshotter)
	m.must(err)
}

// restart closes the store and opens it again, as a restart of its daemon does.
func (m *machine) restart() {
	m.t.Helper()
	m.must(m.store.Close())
	m.open()
}

// in is a namespace of the store, for clients.
func (m *machine) in(ns string) imagestore.Store {
	return imagestore.Store{Client: m.client, Namespace: ns, Snapshotter: snapshotter}
}

func inNamespace(ctx context.Context, ns string) context.Context {
	return namespaces.WithNamespace(ctx, ns)
}

// next makes a name that no other thing has.
func (m *machine) next(prefix string) string {
	m.made++
	return fmt.Sprintf("%s-%d", prefix, m.made)
}

func (m *machine) namespaces(store prune.Store) []string {
	m.t.Helper()
	names, err := store.Namespaces(m.ctx)
	m.must(err)
	return names
}

// capture reads the whole store for the oracle.
func (m *machine) capture() *oracle.State {
	m.t.Helper()
	return m.captureOf(m.store, m.client, m.root)
}

func (m *machine) captureOf(store prune.Store, client *containerd.Client, root string) *oracle.State {
	m.t.Helper()
	s, err := oracle.Capture(m.ctx, oracle.Source{
		Client: client, Root: root, Snapshotters: []string{snapshotter}, Namespaces: m.namespaces(store),
	})
	m.must(err)
	return s
}

// procfs is that of the machine's present boot. Owners of earlier ones are dead.
func (m *machine) procfs() prune.Procfs {
	m.t.Helper()
	root := filepath.Join(m.dir, fmt.Sprintf("proc-%d", m.boots))
	file := filepath.Join(root, "sys/kernel/random/boot_id")
	if _, err := os.Stat(file); err == nil {
		return prune.Procfs{Root: root}
	}
	m.must(os.MkdirAll(filepath.Dir(file), 0o700))
	m.must(os.WriteFile(file, []byte(fmt.Sprintf("boot-%d\n", m.boots)), 0o600))
	return prune.Procfs{Root: root}
}

// copyTree copies a store that nobody writes to at the moment.
func copyTree(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying the store: %w", err)
	}
	return nil
}

// sorted lists the keys of a map, so that the same draws choose the same.
func sorted[V any](things map[string]V) []string {
	keys := make([]string, 0, len(things))
	for key := range things {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
