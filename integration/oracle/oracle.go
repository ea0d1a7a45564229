package oracle

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
)

// State is what a store held at one moment.
type State struct {
	// At is the moment.
	At time.Time
	// Version is the daemon's, such as "2.4.2"; empty for an embedded store.
	Version    string
	Namespaces map[string]*Namespace
	// Files are the sizes of the blob files on disk, in bytes.
	Files map[digest.Digest]int64
	// Documents are what the blobs reachable from records say of themselves.
	Documents map[digest.Digest]Document
}

// Namespace is a State's part of one namespace.
type Namespace struct {
	Images     map[string]images.Image
	Containers map[string]containers.Container
	Leases     map[string]Lease
	Content    map[digest.Digest]content.Info
	Ingests    map[string]content.Status
	Snapshots  map[SnapshotKey]snapshots.Info
	// Sandboxes are the labels of the sandboxes.
	Sandboxes map[string]map[string]string
}

// Lease is a lease with what it holds.
type Lease struct {
	leases.Lease
	Resources []leases.Resource
	// Expired is judged at the time of capture.
	Expired bool
}

// SnapshotKey names a snapshot within a namespace.
type SnapshotKey struct{ Snapshotter, Key string }

func (k SnapshotKey) String() string { return k.Snapshotter + "/" + k.Key }

// Check runs all checks of this package.
func Check(before, after *State, opts ...Option) error {
	return errors.Join(
		CheckComplete(before, after),
		CheckContainers(before, after),
		CheckReachable(before, after, opts...),
	)
}

// findings collects sentences about losses.
type findings []string

func (f *findings) add(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}

// err returns what was found in a stable order, or nil.
func (f findings) err() error {
	if len(f) == 0 {
		return nil
	}
	sort.Strings(f)
	const most = 20 // a test's output need not list a thousand
	if len(f) > most {
		f = append(f[:most:most], fmt.Sprintf("and %d more", len(f)-most))
	}
	return errors.New(strings.Join(f, "\n"))
}
