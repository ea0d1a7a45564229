package docker

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Source is a [prune.Source] that asks one Docker Engine. It keeps no
// connection and no state between calls.
type Source struct {
	path    string
	dial    func(context.Context, string) (net.Conn, error)
	store   prune.Store
	timeout time.Duration
	limit   int64
	// patience is how long the Engine may take to know a container whose
	// layers it has made.
	patience time.Duration
}

// Option changes how a [Source] asks.
type Option func(*Source)

// WithTimeout bounds one call of [Source.Uses] as a whole; ten seconds unless
// set.
func WithTimeout(d time.Duration) Option { return func(s *Source) { s.timeout = d } }

// WithLimit bounds the bytes of all answers in one call of [Source.Uses]; 64
// MiB unless set, which is enough for some ten thousand containers.
func WithLimit(bytes int64) Option { return func(s *Source) { s.limit = bytes } }

// WithInsecureSocket asks on a socket that is refused otherwise: every user of
// the machine may write to it or replace it, or it belongs to neither root nor
// the user of this process. Who answers there decides what is in use.
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
	// pause is between two questions about one container.
	pause = 50 * time.Millisecond
)

// New returns a source that asks the Engine at host, a path or a unix:// URL,
// what it uses of the store. Nothing is asked yet.
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

// Uses implements [prune.Source]. It covers the namespaces that the Engine
// says it keeps its containers and its plugins in, and asks only about a
// namespace that has traces of Docker: elsewhere no container of Docker's can
// be, running or not.
func (s *Source) Uses(ctx context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	ns := asked.Namespace
	if !ns.Docker() {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	uses, covered, err := s.ask(ctx, ns)
	if err != nil {
		return nil, false, fmt.Errorf("could not ask Docker at %s which images it uses: %w", s.path, err)
	}
	return uses, covered, nil
}

func (s *Source) ask(ctx context.Context, ns *prune.Namespace) ([]prune.Use, bool, error) {
	e, err := s.connect()
	if err != nil {
		return nil, false, err
	}
	defer e.close()
	seen, err := e.look(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := s.same(ctx, seen.info); err != nil {
		return nil, false, err
	}
	spaces := seen.info.Containerd.Namespaces
	switch ns.Name {
	case spaces.Containers:
	case spaces.Plugins:
		return nil, true, nil // plugins run from their own files, not from images
	default:
		return nil, false, fmt.Errorf("it keeps its containers in namespace %q, not in this one", spaces.Containers)
	}
	if seen.containers, err = s.crossCheck(ctx, e, ns, seen.containers); err != nil {
		return nil, false, err
	}
	uses, err := e.uses(ctx, ns, seen.containers)
	return uses, true, err
}
