package docker

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Source is a [prune.Source] that asks one Docker Engine which images it uses.
// It keeps no connection and no state between calls.
type Source struct {
	path    string
	dial    func(context.Context, string) (net.Conn, error)
	store   prune.Store
	timeout time.Duration
	limit   int64
	// patience is how long the Engine may take to list a container whose layers it
	// has created.
	patience time.Duration
}

// Option changes how a [Source] asks the Engine.
type Option func(*Source)

// WithTimeout limits the duration of one call of [Source.Uses]; the default is
// ten seconds. Each container of the Engine adds 20 ms, because it may be asked
// about single ones.
func WithTimeout(d time.Duration) Option { return func(s *Source) { s.timeout = d } }

// WithLimit limits the total bytes of all answers in one call of [Source.Uses];
// the default is 64 MiB, which is enough for some ten thousand containers. Each
// container adds 64 KiB.
func WithLimit(bytes int64) Option { return func(s *Source) { s.limit = bytes } }

// WithInsecureSocket accepts a socket that is otherwise refused, because every
// user of the machine can write to it or replace it, or because it belongs
// neither to root nor to the user of this process. Whoever answers there
// decides what is in use.
func WithInsecureSocket() Option {
	return func(s *Source) {
		s.dial = func(ctx context.Context, path string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
	}
}

const (
	defaultTimeout  = 10 * time.Second
	defaultLimit    = 64 << 20
	defaultPatience = 3 * time.Second
	// forEach and bytesForEach are what a container adds to these limits.
	forEach      = 20 * time.Millisecond
	bytesForEach = 64 << 10
	// pause is the time between two questions about one container.
	pause = 50 * time.Millisecond
)

// New returns a source that asks the Engine at host, a path or a unix:// URL,
// which images of the store it uses. It does not connect yet.
func New(host string, store prune.Store, opts ...Option) (*Source, error) {
	path, err := socketPath(host)
	if err != nil {
		return nil, err
	}
	s := &Source{path: path, dial: trust.Self().Dial, store: store, timeout: defaultTimeout, limit: defaultLimit, patience: defaultPatience}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// Uses implements [prune.Source]. It covers the namespaces in which the Engine
// says it keeps its containers and its plugins. The Engine is asked only about
// a namespace with traces of Docker, because no other can have a container of
// Docker's, running or not.
func (s *Source) Uses(ctx context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	ns := asked.Namespace
	if !ns.Docker() {
		return nil, false, nil
	}
	uses, covered, err := s.ask(ctx, ns)
	if err != nil {
		return nil, false, fmt.Errorf("could not ask Docker at %s which images it uses: %w", s.path, err)
	}
	return uses, covered, nil
}

func (s *Source) look(ctx context.Context, e *engine) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return e.look(ctx)
}

func (s *Source) ask(ctx context.Context, ns *prune.Namespace) ([]prune.Use, bool, error) {
	e, err := s.connect()
	if err != nil {
		return nil, false, err
	}
	defer e.close()
	seen, err := s.look(ctx, e)
	if err != nil {
		return nil, false, err
	}
	n := len(seen.containers) + len(ns.Leases)
	e.link.grow(int64(n) * bytesForEach)
	ctx, cancel := context.WithTimeout(ctx, s.timeout+time.Duration(n)*forEach)
	defer cancel()
	if err := s.same(ctx, seen.info); err != nil {
		return nil, false, err
	}
	spaces := seen.info.Containerd.Namespaces
	switch ns.Name {
	case spaces.Containers:
	case spaces.Plugins:
		return nil, true, nil // plugins run from files of their own, not from images
	default:
		return nil, false, fmt.Errorf("it keeps its containers in namespace %q, not in this one", spaces.Containers)
	}
	if seen.containers, err = s.crossCheck(ctx, e, ns, seen.containers); err != nil {
		return nil, false, err
	}
	uses, err := e.uses(ctx, ns, seen.containers)
	return uses, true, err
}
