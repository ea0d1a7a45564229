package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/errdefs"
	"github.com/containerd/plugin"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// StoreUUIDFile is where a containerd keeps its UUID, below its root.
var StoreUUIDFile = filepath.Join("io.containerd.grpc.v1.introspection", "uuid")

// BlobFiles lists the content store's directory if it is certain to be that
// of this server. The server names the path, but this process may see another
// file system there (a container, a forwarded socket); so the UUID that the
// server keeps beside its content store must be the one that it reports.
func (s *daemonStore) BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error) {
	dir, err := s.ContentDir(ctx)
	if err != nil {
		return nil, err
	}
	return store.ListBlobFiles(dir)
}

func (s *daemonStore) BlobFileSize(ctx context.Context, dgst digest.Digest) (int64, error) {
	dir, err := s.ContentDir(ctx)
	if err != nil {
		return 0, err
	}
	return store.SizeOfBlobFile(dir, dgst)
}

// ContentDir returns the path under which this process sees the server's
// content directory.
func (s *daemonStore) ContentDir(ctx context.Context) (string, error) {
	view, root, err := s.view(ctx)
	return filepath.Join(view, root), err
}

// SnapshotterDir is seen where the content directory is. Snapshotters name
// their directory since containerd 1.6; a proxy names none.
func (s *daemonStore) SnapshotterDir(ctx context.Context, name string) (string, error) {
	view, _, err := s.view(ctx)
	if err != nil {
		return "", err
	}
	root, err := s.exportedRoot(ctx, plugins.SnapshotPlugin, name)
	if err != nil {
		return "", err
	}
	return filepath.Join(view, root), nil
}

// view returns the server's content directory, and the directory that this
// process sees in place of the server's root directory "/".
func (s *daemonStore) view(ctx context.Context) (view, contentDir string, err error) {
	contentDir, err = s.contentRoot(ctx)
	if err != nil {
		return "", "", err
	}
	server, err := s.client.IntrospectionService().Server(ctx)
	if errdefs.IsUnknown(err) {
		return "", "", fmt.Errorf("containerd cannot write its UUID, so its directories are unknown: %w", store.Cause(errdefs.ErrUnavailable, err))
	}
	if err != nil {
		return "", "", fmt.Errorf("read the UUID of containerd: %w", err)
	}
	for _, view := range daemonViews(server.Pid) {
		if daemonOwns(filepath.Join(view, contentDir), server.UUID) {
			return view, contentDir, nil
		}
	}
	return "", "", fmt.Errorf("the content directory %q of containerd cannot be seen from here: %w", contentDir, errdefs.ErrUnavailable)
}

// contentRoot asks for the content store's directory, which the plugin exports
// (containerd 1.6 and later).
func (s *daemonStore) contentRoot(ctx context.Context) (string, error) {
	return s.exportedRoot(ctx, plugins.ContentPlugin, "content")
}

// exportedRoot asks for the directory that a plugin exports.
func (s *daemonStore) exportedRoot(ctx context.Context, kind plugin.Type, id string) (string, error) {
	resp, err := s.client.IntrospectionService().Plugins(ctx, fmt.Sprintf("type==%s,id==%s", kind, strconv.Quote(id)))
	if err != nil {
		return "", fmt.Errorf("ask containerd for the directory of %s.%s: %w", kind, id, err)
	}
	for _, p := range resp.Plugins {
		if root := p.Exports["root"]; filepath.IsAbs(root) {
			return root, nil
		}
	}
	return "", fmt.Errorf("containerd does not name the directory of %s.%s: %w", kind, id, errdefs.ErrUnavailable)
}

// daemonViews are the directories under which the server's root directory may
// be seen: this process's own, and that of the server's process (proc(5)) if it
// runs in another mount namespace. The pid may be one of another PID namespace;
// daemonOwns tells.
func daemonViews(pid uint64) []string {
	views := []string{"/"}
	if pid != 0 {
		views = append(views, filepath.Join("/proc", strconv.FormatUint(pid, 10), "root"))
	}
	return views
}

// daemonOwns reports whether the content directory lies beside the UUID given.
// A file that cannot be read proves nothing, whatever the reason.
func daemonOwns(contentRoot, uuid string) bool {
	data, err := os.ReadFile(filepath.Join(filepath.Dir(contentRoot), StoreUUIDFile))
	return err == nil && uuid != "" && string(data) == uuid
}
