package store

import (
	"context"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
)

func InNamespace(ctx context.Context, ns string) context.Context {
	return namespaces.WithNamespace(ctx, ns)
}

const CRINamespace = "k8s.io"

// CRITimeout is how long CRI may take to notice a record: it follows
// events within milliseconds, in their order.
const CRITimeout = 5 * time.Second
