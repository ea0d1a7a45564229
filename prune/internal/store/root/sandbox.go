package root

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/metadata/boltutil"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	bolt "go.etcd.io/bbolt"
)

// rootSandboxes returns the sandbox store for a version of the database. The
// one linked in looks only where version 4 keeps sandboxes; it would find none
// in a root of containerd 1.7, and what they use would look unused.
func rootSandboxes(db *metadata.DB, version int64) sandbox.Store {
	if version >= rootSchemaMax {
		return metadata.NewSandboxStore(db)
	}
	return rootOldSandboxes{db: db}
}

// rootOldSandboxes reads the sandboxes of a version 3 database, which lie at
// <namespace>/sandboxes/<id>, outside of the schema's bucket. It only lists.
type rootOldSandboxes struct{ db *metadata.DB }

var errRootOldSandboxes = fmt.Errorf("sandboxes of a database of version 3 can only be listed: %w", errdefs.ErrNotImplemented)

// List returns all sandboxes of the context's namespace. Filters are refused.
func (s rootOldSandboxes) List(ctx context.Context, filters ...string) ([]sandbox.Sandbox, error) {
	if len(filters) > 0 {
		return nil, errRootOldSandboxes
	}
	ns, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return nil, err
	}
	var found []sandbox.Sandbox
	err = s.db.View(func(tx *bolt.Tx) error {
		top := tx.Bucket([]byte(ns))
		if top == nil || ns == string(rootKeySchema) {
			return nil
		}
		all := top.Bucket([]byte("sandboxes"))
		if all == nil {
			return nil
		}
		return all.ForEachBucket(func(id []byte) error {
			sb, err := rootReadSandbox(string(id), all.Bucket(id))
			found = append(found, sb)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", err)
	}
	return found, nil
}

func rootReadSandbox(id string, b *bolt.Bucket) (sb sandbox.Sandbox, err error) {
	sb = sandbox.Sandbox{ID: id, Sandboxer: string(b.Get([]byte("sandboxer")))}
	if sb.Labels, err = boltutil.ReadLabels(b); err != nil {
		return sb, fmt.Errorf("read the labels of sandbox %q: %w", id, err)
	}
	if err = boltutil.ReadTimestamps(b, &sb.CreatedAt, &sb.UpdatedAt); err != nil {
		return sb, fmt.Errorf("read the times of sandbox %q: %w", id, err)
	}
	if sb.Extensions, err = boltutil.ReadExtensions(b); err != nil {
		return sb, fmt.Errorf("read the extensions of sandbox %q: %w", id, err)
	}
	spec, err := boltutil.ReadAny(b, []byte("spec"))
	if err != nil {
		return sb, fmt.Errorf("read the spec of sandbox %q: %w", id, err)
	}
	if spec != nil {
		sb.Spec = spec
	}
	return sb, nil
}

func (rootOldSandboxes) Create(context.Context, sandbox.Sandbox) (sandbox.Sandbox, error) {
	return sandbox.Sandbox{}, errRootOldSandboxes
}

func (rootOldSandboxes) Update(context.Context, sandbox.Sandbox, ...string) (sandbox.Sandbox, error) {
	return sandbox.Sandbox{}, errRootOldSandboxes
}

func (rootOldSandboxes) Get(context.Context, string) (sandbox.Sandbox, error) {
	return sandbox.Sandbox{}, errRootOldSandboxes
}

func (rootOldSandboxes) Delete(context.Context, string) error { return errRootOldSandboxes }
