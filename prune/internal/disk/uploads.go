package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Upload is the directory of an upload in a content store.
type Upload struct {
	Entry
	// Cleans says that the content store removes it itself, at the next
	// collection that removes a blob. It passes over one that has lost its name.
	Cleans bool
}

// maxRef bounds what is read of the file with an upload's name, in bytes.
const maxRef = 64 << 10

// UnknownUploads lists the uploads in a content store's directory of which no
// namespace of the inventory has a record. One that began since it was read
// changes, or is known to the store by now.
func UnknownUploads(ctx context.Context, st store.Store, contentDir string, inv *inventory.Inventory) ([]Upload, error) {
	entries, err := listUploads(contentDir)
	if err != nil {
		return nil, err
	}
	var suspects []string
	refs := make(map[string]string)
	for _, u := range entries {
		refs[u.path] = u.ref
		if !isListed(inv, u.ref) {
			suspects = append(suspects, u.path)
		}
	}
	left, err := leftBehind(ctx, suspects, func(path string) (bool, error) { return isUnknownUpload(ctx, st, path, refs[path]) })
	found := make([]Upload, 0, len(left))
	for _, entry := range left {
		found = append(found, Upload{Entry: entry, Cleans: refs[entry.Path] != ""})
	}
	return found, err
}

// uploadEntry is an upload on the disk with its name.
type uploadEntry struct{ path, ref string }

func listUploads(contentDir string) ([]uploadEntry, error) {
	dir := filepath.Join(contentDir, "ingest")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // made with the first upload
	}
	if err != nil {
		return nil, fmt.Errorf("listing the uploads on disk: %w", err)
	}
	found := make([]uploadEntry, 0, len(entries))
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		ref, err := refOf(path)
		if err != nil {
			return nil, fmt.Errorf("looking at an upload on disk: %w", err)
		}
		found = append(found, uploadEntry{path, ref})
	}
	return found, nil
}

// refOf reads the name of an upload, empty if it has none.
func refOf(path string) (string, error) {
	path = filepath.Join(path, "ref")
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxRef {
		return "", ignoreAbsent(err)
	}
	ref, err := os.ReadFile(path)
	return string(ref), ignoreAbsent(err)
}

// parseRef takes the name of an upload apart, which containerd makes of the
// namespace, a number and the name there, as that of a snapshot.
func parseRef(ref string) (namespace, name string, ok bool) {
	parts := strings.SplitN(ref, "/", 3)
	if len(parts) < 3 {
		return "", "", false
	}
	return parts[0], parts[2], true
}

func isListed(inv *inventory.Inventory, ref string) bool {
	namespace, name, ok := parseRef(ref)
	if !ok {
		return false
	}
	ns := inv.Namespace(namespace)
	return ns != nil && slices.ContainsFunc(ns.Ingests, func(s content.Status) bool { return s.Ref == name })
}

func isUnknownUpload(ctx context.Context, st store.Store, path, ref string) (bool, error) {
	if namespace, name, ok := parseRef(ref); ok {
		_, err := st.Content().Status(store.InNamespace(ctx, namespace), name)
		if err == nil {
			return false, nil
		}
		if !errdefs.IsNotFound(err) {
			return false, fmt.Errorf("looking again at upload %q in namespace %q: %w", name, namespace, err)
		}
	}
	_, err := os.Lstat(path)
	return err == nil, ignoreAbsent(err)
}

// AbortUpload makes containerd forget the upload in a directory, if it has a
// record of one that has no data any more, as a containerd leaves that is killed
// while it commits it. Until that record expires, no collection removes the
// directory. There is nothing to lose: who goes on with the upload begins it anew.
func AbortUpload(ctx context.Context, st store.Store, path string) error {
	ref, err := refOf(path)
	if err != nil {
		return fmt.Errorf("looking at an upload on disk: %w", err)
	}
	namespace, name, ok := parseRef(ref)
	if !ok {
		return nil
	}
	ctx = store.InNamespace(ctx, namespace)
	if _, err := st.Content().Status(ctx, name); !errdefs.IsNotFound(err) {
		return nil // it has gone on
	}
	if err := st.Content().Abort(ctx, name); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("aborting upload %q in namespace %q: %w", name, namespace, err)
	}
	return nil
}

// ignoreAbsent returns the errors of what is there.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}
