package prune

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// tape is a store that writes down what a run changes, and asks before and
// after each of these calls whether something goes wrong, or happens meanwhile.
type tape struct {
	store.Store
	mu     sync.Mutex
	calls  []string
	before func(call string) error // its error is returned instead of the call
	after  func(call string) error // its error is returned in place of the call's
	down   func(call string) error // the same as before, for questions, which are not written down
}

func (t *tape) call(call string, do func() error) error {
	t.mu.Lock()
	t.calls = append(t.calls, call)
	t.mu.Unlock()
	if t.before != nil {
		if err := t.before(call); err != nil {
			return err
		}
	}
	err := do()
	if t.after != nil && err == nil {
		err = t.after(call)
	}
	return err
}

func (t *tape) Namespaces(ctx context.Context) ([]string, error) {
	if err := t.ask("namespaces"); err != nil {
		return nil, err
	}
	return t.Store.Namespaces(ctx)
}

func (t *tape) ask(question string) error {
	if t.down == nil {
		return nil
	}
	return t.down(question)
}

// on returns a hook that runs do at the first call of that name.
func on(call string, do func() error) func(string) error {
	var once sync.Once
	return func(now string) (err error) {
		if now == call {
			once.Do(func() { err = do() })
		}
		return err
	}
}

func (t *tape) Images() images.Store         { return tapedImages{t.Store.Images(), t} }
func (t *tape) Content() content.Store       { return tapedContent{t.Store.Content(), t} }
func (t *tape) Containers() containers.Store { return tapedContainers{t.Store.Containers(), t} }
func (t *tape) Leases() leases.Manager       { return tapedLeases{t.Store.Leases(), t} }

type tapedImages struct {
	images.Store
	*tape
}

func (s tapedImages) Create(ctx context.Context, i images.Image) (created images.Image, err error) {
	err = s.call("create "+legend(i.Name), func() error { created, err = s.Store.Create(ctx, i); return err })
	return created, err
}

func (s tapedImages) Get(ctx context.Context, name string) (images.Image, error) {
	if err := s.ask("get " + legend(name)); err != nil {
		return images.Image{}, err
	}
	return s.Store.Get(ctx, name)
}

func (s tapedImages) Delete(ctx context.Context, name string, opts ...images.DeleteOpt) error {
	return s.call("delete "+legend(name), func() error { return s.Store.Delete(ctx, name, opts...) })
}

type tapedContent struct {
	content.Store
	*tape
}

func (s tapedContent) Writer(ctx context.Context, opts ...content.WriterOpt) (w content.Writer, err error) {
	err = s.call("write", func() error { w, err = s.Store.Writer(ctx, opts...); return err })
	return w, err
}

func (s tapedContent) Update(ctx context.Context, i content.Info, paths ...string) (updated content.Info, err error) {
	err = s.call("label "+legend(i.Digest.String()), func() error { updated, err = s.Store.Update(ctx, i, paths...); return err })
	return updated, err
}

type tapedContainers struct {
	containers.Store
	*tape
}

func (s tapedContainers) List(ctx context.Context, filters ...string) (list []containers.Container, err error) {
	err = s.call("look", func() error { list, err = s.Store.List(ctx, filters...); return err })
	return list, err
}

type tapedLeases struct {
	leases.Manager
	*tape
}

func (s tapedLeases) Create(ctx context.Context, opts ...leases.Opt) (lease leases.Lease, err error) {
	var asked leases.Lease
	for _, opt := range opts {
		must(0, opt(&asked))
	}
	err = s.call("lease "+asked.ID, func() error { lease, err = s.Manager.Create(ctx, opts...); return err })
	return lease, err
}

// AddResource is asked about as "hold", but not written down.
func (s tapedLeases) AddResource(ctx context.Context, lease leases.Lease, r leases.Resource) error {
	if s.before != nil {
		if err := s.before("hold"); err != nil {
			return err
		}
	}
	return s.Manager.AddResource(ctx, lease, r)
}

func (s tapedLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	var o leases.DeleteOptions
	for _, opt := range opts {
		must(0, opt(ctx, &o))
	}
	call := "free " + lease.ID
	if o.Synchronous {
		call += " and collect"
	}
	return s.call(call, func() error { return s.Manager.Delete(ctx, lease, opts...) })
}

// script is the tape without repetitions of reads, on one line.
func (t *tape) script() string {
	var lines []string
	for _, call := range t.calls {
		if len(lines) == 0 || lines[len(lines)-1] != call || call != "look" {
			lines = append(lines, call)
		}
	}
	return strings.Join(lines, ", ")
}

// process is a procfs in which this process started at that tick: the same PID
// with another start is a process that is gone.
func process(t *testing.T, start uint64) ours.Procfs {
	t.Helper()
	dir := t.TempDir()
	write := func(path, text string) {
		full := filepath.Join(dir, path)
		must(0, os.MkdirAll(filepath.Dir(full), 0o700))
		must(0, os.WriteFile(full, []byte(text), 0o600))
	}
	stat := fmt.Sprintf("(ctr-prune) S%s %d 0 0\n", strings.Repeat(" 7", 18), start)
	write("sys/kernel/random/boot_id", "5a2c0e5f-7b5c-4a58-9d3c-0d4f4c6a1b11\n")
	write("1/stat", "1 "+stat)
	write(fmt.Sprintf("%d/stat", os.Getpid()), fmt.Sprintf("%d %s", os.Getpid(), stat))
	must(0, os.MkdirAll(filepath.Join(dir, "self/ns"), 0o700))
	must(0, os.Symlink("pid:[4026531836]", filepath.Join(dir, "self/ns/pid")))
	return ours.Procfs{Root: dir}
}

// scene is a store in the middle of a test, with the plan of a run.
type scene struct {
	t     *testing.T
	store *root.RootStore
	tape  *tape
	ctx   context.Context // in namespace default
}

// newScene builds a world. Its tape deletes one by one, as a daemon does.
func newScene(t *testing.T, w world) *scene {
	t.Helper()
	s := w.build(t, t.TempDir())
	t.Cleanup(func() { must(0, s.Close()) })
	return &scene{t: t, store: s, tape: &tape{Store: untransactional{s}}, ctx: store.InNamespace(context.Background(), "default")}
}

// plan reads the store and plans to remove all that is unused.
func (s *scene) plan(procfs ours.Procfs) *plan.Plan {
	s.t.Helper()
	policy := rules.Policy{AllNamespaces: true, Filters: all()}
	plan, err := flow.ReadPlan(context.Background(), s.store, policy, time.Now(), read.ReadOptions{Procfs: procfs})
	if err != nil {
		s.t.Fatal(err)
	}
	return plan
}

// run plans and executes.
func (s *scene) run(ctx context.Context, procfs ours.Procfs) (*run.Report, error) {
	s.t.Helper()
	return run.Execute(ctx, s.plan(procfs), s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
}

// records lists the names in namespace default, by what is in their digests.
func (s *scene) records() []string {
	names := []string{}
	for _, image := range must(s.store.Images().List(s.ctx)) {
		names = append(names, legend(image.Name))
	}
	return names
}

func (s *scene) hasBlob(text string) bool {
	_, err := s.store.Content().Info(s.ctx, dig(text))
	return err == nil
}

func (s *scene) collect() { must(s.store.DB.GarbageCollect(context.Background())) }

// add makes something in namespace default.
func (s *scene) add(things ...thing) {
	for _, t := range things {
		must(0, t.create(s.ctx, s.store))
	}
}

// freeLock deletes the run lease, whose ever it is.
func freeLock(ctx context.Context, store store.Store) error {
	return store.Leases().Delete(ctx, leases.Lease{ID: ours.RunID})
}
