package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// daemonTimeout is how long Open waits for a containerd's first answer. A
// daemon that is only busy answers its version within milliseconds.
const daemonTimeout = 10 * time.Second

// OpenOption changes how [Open] connects.
type OpenOption func(*daemonConfig)

type daemonConfig struct {
	timeout time.Duration
	dial    []grpc.DialOption
	// insecure accepts a socket that others control.
	insecure bool
}

// WithTimeout sets how long [Open] waits for the first answer; the default is
// ten seconds. Later calls are limited only by their contexts.
func WithTimeout(d time.Duration) OpenOption {
	return func(c *daemonConfig) { c.timeout = d }
}

// WithDialOptions adds gRPC options, for example interceptors, after those that
// [Open] sets itself.
func WithDialOptions(opts ...grpc.DialOption) OpenOption {
	return func(c *daemonConfig) { c.dial = append(c.dial, opts...) }
}

// WithInsecureSocket accepts a socket that [Open] otherwise refuses, because
// every user of the machine can write to it or replace it, or because it
// belongs neither to root nor to the user of this process. Anybody who can
// write to the socket is in effect root on the machine, and can change the
// store during a run.
func WithInsecureSocket() OpenOption {
	return func(c *daemonConfig) { c.insecure = true }
}

// Open connects to the containerd whose unix socket is at address: a path,
// also in the form unix:///run/containerd/containerd.sock. It asks the server
// for its version, so that a Store it returns has answered once. Every error
// is an *[store.OpenError], or that of ctx.
func Open(ctx context.Context, address string, opts ...OpenOption) (store.Store, error) {
	cfg := daemonConfig{timeout: daemonTimeout}
	for _, o := range opts {
		o(&cfg)
	}
	path, err := daemonSocket(address, cfg.insecure)
	if err != nil {
		return nil, err
	}
	c, err := daemonConnect(ctx, path, cfg)
	if err != nil {
		return nil, err
	}
	return &daemonStore{client: c, path: path}, nil
}

// daemonStore is the store of a running containerd. The services are the
// client's own: they are stateless and share its one connection.
type daemonStore struct {
	client *client.Client
	path   string
}

var _ store.Store = (*daemonStore)(nil)

func (s *daemonStore) Images() images.Store         { return s.client.ImageService() }
func (s *daemonStore) Content() content.Store       { return s.client.ContentStore() }
func (s *daemonStore) Containers() containers.Store { return s.client.ContainerService() }
func (s *daemonStore) Leases() leases.Manager       { return s.client.LeasesService() }
func (s *daemonStore) Sandboxes() sandbox.Store     { return s.client.SandboxStore() }
func (s *daemonStore) Events() events.Subscriber    { return s.client.EventService() }

func (s *daemonStore) Snapshotter(name string) snapshots.Snapshotter {
	return s.client.SnapshotService(name)
}

// Batch calls fn with ctx as it is: containerd's API has no transactions.
func (s *daemonStore) Batch(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func (s *daemonStore) Transactional() bool { return false }

// Close closes the connection.
func (s *daemonStore) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close the connection to containerd at %q: %w", s.path, err)
	}
	return nil
}

func (s *daemonStore) Namespaces(ctx context.Context) ([]string, error) {
	names, err := s.client.NamespaceService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

func (s *daemonStore) DeleteNamespace(ctx context.Context, name string) error {
	return s.client.NamespaceService().Delete(ctx, name)
}

func (s *daemonStore) Info(ctx context.Context) (store.StoreInfo, error) {
	version, err := s.client.Version(ctx)
	if err != nil {
		return store.StoreInfo{}, fmt.Errorf("read the version of containerd: %w", errgrpc.ToNative(err))
	}
	uuid, err := s.uuid(ctx)
	if err != nil {
		return store.StoreInfo{}, err
	}
	names, err := s.snapshotters(ctx)
	if err != nil {
		return store.StoreInfo{}, err
	}
	return store.StoreInfo{
		Kind:         store.StoreDaemon,
		Location:     s.path,
		ID:           uuid,
		Version:      strings.TrimPrefix(version.Version, "v"),
		Snapshotters: names,
	}, nil
}

// uuid is empty for a server that could not write one yet: it makes its UUID
// when it is first asked, and its disk may be full or read-only by then. That is
// the one error of its own that it returns then, and it is of no known kind.
func (s *daemonStore) uuid(ctx context.Context) (string, error) {
	server, err := s.client.Server(ctx)
	if errdefs.IsUnknown(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the UUID of containerd: %w", err)
	}
	return server.UUID, nil
}

// snapshotters names the snapshotter plugins that work: one that failed to
// start, such as btrfs on another file system, is listed with its error.
func (s *daemonStore) snapshotters(ctx context.Context) ([]string, error) {
	resp, err := s.client.IntrospectionService().Plugins(ctx, "type=="+plugins.SnapshotPlugin.String())
	if err != nil {
		return nil, fmt.Errorf("list the snapshotters of containerd: %w", err)
	}
	names := []string{}
	for _, p := range resp.Plugins {
		if p.InitErr == nil {
			names = append(names, p.ID)
		}
	}
	slices.Sort(names)
	return names, nil
}
