package testworld

import (
	"context"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// A Tape is a store that writes down what a run changes, and asks before and
// after each of these calls whether something goes wrong, or happens meanwhile.
type Tape struct {
	store.Store
	mu     sync.Mutex
	Calls  []string                // such as "delete docker.io/library/a:1", "write", "free ctr-prune"
	Before func(call string) error // its error is returned instead of the call
	After  func(call string) error // its error is returned in place of the call's
	Down   func(call string) error // the same as before for reads, which are not written down
}

func (t *Tape) call(call string, do func() error) error {
	t.mu.Lock()
	t.Calls = append(t.Calls, call)
	t.mu.Unlock()
	if t.Before != nil {
		if err := t.Before(call); err != nil {
			return err
		}
	}
	err := do()
	if t.After != nil && err == nil {
		err = t.After(call)
	}
	return err
}

// Namespaces lists those of the store, unless it is down.
func (t *Tape) Namespaces(ctx context.Context) ([]string, error) {
	if err := t.ask("namespaces"); err != nil {
		return nil, err
	}
	return t.Store.Namespaces(ctx)
}

func (t *Tape) ask(question string) error {
	if t.Down == nil {
		return nil
	}
	return t.Down(question)
}

// On returns a hook that runs do at the first call of that name.
func On(call string, do func() error) func(string) error {
	var once sync.Once
	return func(now string) (err error) {
		if now == call {
			once.Do(func() { err = do() })
		}
		return err
	}
}

// Images is the store's service, whose writes are on the tape.
func (t *Tape) Images() images.Store { return tapedImages{t.Store.Images(), t} }

// Content is the store's service, whose writes are on the tape.
func (t *Tape) Content() content.Store { return tapedContent{t.Store.Content(), t} }

// Containers is the store's service, on the tape.
func (t *Tape) Containers() containers.Store { return tapedContainers{t.Store.Containers(), t} }

// Leases is the store's service, whose writes are on the tape.
func (t *Tape) Leases() leases.Manager { return tapedLeases{t.Store.Leases(), t} }

type tapedImages struct {
	images.Store
	*Tape
}

func (s tapedImages) Create(ctx context.Context, i images.Image) (created images.Image, err error) {
	err = s.call("create "+Legend(i.Name), func() error { created, err = s.Store.Create(ctx, i); return err })
	return created, err
}

func (s tapedImages) Get(ctx context.Context, name string) (images.Image, error) {
	if err := s.ask("get " + Legend(name)); err != nil {
		return images.Image{}, err
	}
	return s.Store.Get(ctx, name)
}

func (s tapedImages) Delete(ctx context.Context, name string, opts ...images.DeleteOpt) error {
	return s.call("delete "+Legend(name), func() error { return s.Store.Delete(ctx, name, opts...) })
}

type tapedContent struct {
	content.Store
	*Tape
}

func (s tapedContent) Writer(ctx context.Context, opts ...content.WriterOpt) (w content.Writer, err error) {
	err = s.call("write", func() error { w, err = s.Store.Writer(ctx, opts...); return err })
	return w, err
}

func (s tapedContent) Update(ctx context.Context, i content.Info, paths ...string) (updated content.Info, err error) {
	err = s.call("label "+Legend(i.Digest.String()), func() error { updated, err = s.Store.Update(ctx, i, paths...); return err })
	return updated, err
}

type tapedContainers struct {
	containers.Store
	*Tape
}

func (s tapedContainers) List(ctx context.Context, filters ...string) (list []containers.Container, err error) {
	err = s.call("look", func() error { list, err = s.Store.List(ctx, filters...); return err })
	return list, err
}

type tapedLeases struct {
	leases.Manager
	*Tape
}

func (s tapedLeases) Create(ctx context.Context, opts ...leases.Opt) (lease leases.Lease, err error) {
	var asked leases.Lease
	for _, opt := range opts {
		Must(0, opt(&asked))
	}
	err = s.call("lease "+asked.ID, func() error { lease, err = s.Manager.Create(ctx, opts...); return err })
	return lease, err
}

// AddResource is asked about as "hold", but not written down.
func (s tapedLeases) AddResource(ctx context.Context, lease leases.Lease, r leases.Resource) error {
	if s.Before != nil {
		if err := s.Before("hold"); err != nil {
			return err
		}
	}
	return s.Manager.AddResource(ctx, lease, r)
}

func (s tapedLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	var o leases.DeleteOptions
	for _, opt := range opts {
		Must(0, opt(ctx, &o))
	}
	call := "free " + lease.ID
	if o.Synchronous {
		call += " and collect"
	}
	return s.call(call, func() error { return s.Manager.Delete(ctx, lease, opts...) })
}

// Script is the tape without repetitions of reads, on one line.
func (t *Tape) Script() string {
	var lines []string
	for _, call := range t.Calls {
		if len(lines) == 0 || lines[len(lines)-1] != call || call != "look" {
			lines = append(lines, call)
		}
	}
	return strings.Join(lines, ", ")
}
