package store

import (
	"context"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// InNamespace returns a context for calls to a store's services about a namespace.
func InNamespace(ctx context.Context, ns string) context.Context {
	return namespaces.WithNamespace(ctx, ns)
}

// CRINamespace is the one that containerd's CRI plugin works in.
const CRINamespace = "k8s.io"

// CRITimeout is how long CRI may take to notice a record: it follows
// events within milliseconds, in their order.
const CRITimeout = 5 * time.Second
