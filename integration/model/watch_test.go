package model

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// errKilled is what a process that is gone would have got.
var errKilled = errors.New("this process was killed")

// watched is a store that looks at each call of a run, and at one of them does
// something. Its calls are counted twice: before they are made, and when they
// are done but the caller does not know yet.
type watched struct {
	prune.Store
	m *machine
	// daemon makes it a store that deletes one by one, as a daemon does.
	daemon bool

	mu    sync.Mutex
	calls int
	at    int          // the call at which trouble happens, 0 for none
	event func() error // the trouble; its error is that of this call and all later
	down  error
	inTx  bool

	freed      bool               // a run lease was given back: what it held may go
	released   map[recordKey]bool // the targets of which that was done before, by their digests
	unlabelled bool               // labels of configs were taken off
	deletes    int                // how many deletions of records were looked at
	found      []string           // what was seen that must not be

	journal *journal // of a run in whose time others act
}

func (w *watched) Info(ctx context.Context) (prune.StoreInfo, error) {
	w.note(ctx, itLooks, images.Image{})
	info, err := w.Store.Info(ctx)
	if w.daemon {
		info.Kind = prune.StoreDaemon
	}
	return info, err
}

func (w *watched) Transactional() bool { return !w.daemon && w.Store.Transactional() }

func (w *watched) Batch(ctx context.Context, fn func(context.Context) error) error {
	if w.daemon {
		return fn(ctx)
	}
	if err := w.moment(); err != nil {
		return err
	}
	w.inTx = true
	err := w.Store.Batch(ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		return w.moment() // killed now, nothing of it was done
	})
	w.inTx = false
	return errors.Join(err, w.moment())
}

// moment is one that trouble may choose.
func (w *watched) moment() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down != nil {
		return w.down
	}
	w.calls++
	if w.journal != nil {
		w.journal.others(w.calls)
	}
	if w.calls == w.at {
		w.down = w.event()
	}
	return w.down
}

// watch makes a call between two moments.
func watch[T any](w *watched, call func() (T, error)) (T, error) {
	defer w.inTurn()()
	var none T
	if err := w.moment(); err != nil {
		return none, err
	}
	v, err := call()
	if down := w.moment(); down != nil {
		return v, down
	}
	return v, err
}

func watchOnly(w *watched, call func() error) error {
	_, err := watch(w, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// release notes targets that the run gives up.
func (w *watched) release(ctx context.Context, targets []digest.Digest) {
	ns, _ := namespaces.Namespace(ctx)
	w.mu.Lock()
	if w.released == nil {
		w.released = map[recordKey]bool{}
	}
	for _, target := range targets {
		w.released[recordKey{ns, target.String()}] = true
	}
	w.mu.Unlock()
	for _, target := range targets {
		w.note(ctx, itReleases, images.Image{Target: ocispec.Descriptor{Digest: target}})
	}
	w.m.tally.add("targets given up in slices", len(targets))
}

func (w *watched) see(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = append(w.found, what)
}

// heldNow says whether the run lease, or a grace, holds the target of a record,
// by the collector's label on a blob that the lease holds.
func (w *watched) heldNow(ctx context.Context, name string) error {
	image, err := w.Store.Images().Get(ctx, name)
	if errdefs.IsNotFound(err) {
		return nil // there is nothing to lose
	}
	if err != nil {
		return err
	}
	held, err := w.Store.Leases().ListResources(ctx, leases.Lease{ID: ours.RunID})
	if err != nil {
		return err
	}
	for _, resource := range held {
		if blob, err := w.blob(ctx, resource); err == nil && blob[image.Target.Digest.String()] {
			return nil
		}
	}
	return errors.New("nothing of the run holds it")
}

// blob lists what the labels of a leased blob refer to.
func (w *watched) blob(ctx context.Context, resource leases.Resource) (map[string]bool, error) {
	if resource.Type != "content" {
		return nil, nil
	}
	info, err := w.Store.Content().Info(ctx, digestOf(resource.ID))
	refers := make(map[string]bool, len(info.Labels))
	for key, value := range info.Labels {
		if isContentRef(key) {
			refers[value] = true
		}
	}
	return refers, err
}

// collectNow collects in the middle of a run, at which nothing of what was
// there may go: before the run lets go of it, all of it is recorded or held.
func (w *watched) collectNow(there *oracle.State) {
	if w.freed || len(w.released) > 0 {
		return
	}
	m := w.m
	m.must(m.in("default").Collect(m.ctx))
	now := m.capture()
	lost := lostContent(there, now)
	if !w.unlabelled {
		lost = append(lost, lostSnapshots(there, now)...)
	}
	m.tally.add("collections during runs", 1)
	if len(lost) > 0 {
		w.found = append(w.found, fmt.Sprintf("a collection at call %d took %v", w.calls, lost))
	}
}
