package gc

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// maxSnapshotLabels is the most bytes of snapshot labels that are taken off a
// config: they are written down before, in a document of 4 MiB at most (the
// journal's), and may be six times as long in JSON.
const maxSnapshotLabels = 512 << 10

// Orphan is the config of a removed image which no record reaches any more but
// build history holds. Without its snapshot labels its snapshots can be
// collected.
type Orphan struct {
	Namespace string            `json:"namespace"`
	Config    digest.Digest     `json:"config"`
	Labels    map[string]string `json:"labels"`
}

// Node is the config in the graph.
func (o Orphan) Node() graph.Node {
	return graph.Node{Kind: graph.KindContent, Namespace: o.Namespace, Key: o.Config.String()}
}

// Orphans finds the configs, among what the removed images touch, that only
// build history holds after the change. Every other lease keeps what it holds,
// the snapshots too: of a pull or a build in progress, which may be about to
// make an image of the same config, and of a client that nobody here knows.
func (c *Collector) Orphans(ch Change, touched graph.Reached) []Orphan {
	bare := ch
	bare.Ignored = c.withHistory(ch.Ignored)
	if len(bare.Ignored) == len(ch.Ignored) {
		return nil
	}
	with, without := c.Reach(ch), c.Reach(bare)
	var found []Orphan
	for n := range touched.All() {
		if n.Kind != graph.KindContent || n.Flat || !with.Has(n) || without.Has(n) {
			continue
		}
		if labels, ok := c.mayOrphan(n); ok {
			found = append(found, Orphan{Namespace: n.Namespace, Config: digest.Digest(n.Key), Labels: labels})
		}
	}
	slices.SortFunc(found, func(a, b Orphan) int { return CompareNodes(a.Node(), b.Node()) })
	return found
}

// mayOrphan says whether a config can lose its snapshot labels, which it returns.
func (c *Collector) mayOrphan(n graph.Node) (labels map[string]string, ok bool) {
	labels = c.snapshotLabels(n)
	return labels, len(labels) > 0 && lengthOf(labels) <= maxSnapshotLabels
}

// MayOrphan says whether a blob is a config that loses its snapshot labels when
// nothing but build history holds it any more.
func (c *Collector) MayOrphan(n graph.Node) bool {
	if n.Kind != graph.KindContent || n.Flat {
		return false
	}
	_, ok := c.mayOrphan(n)
	return ok
}

// History lists the leases that are known as those of build history.
func (c *Collector) History() map[graph.Node]bool { return c.withHistory(nil) }

func lengthOf(labels map[string]string) (bytes int) {
	for key, value := range labels {
		bytes += len(key) + len(value)
	}
	return bytes
}

// withHistory adds the leases of build history to those that count as gone.
func (c *Collector) withHistory(ignored map[graph.Node]bool) map[graph.Node]bool {
	all := maps.Clone(ignored)
	if all == nil {
		all = make(map[graph.Node]bool)
	}
	for _, s := range c.Order {
		for _, lease := range s.Leases {
			if isHistory(lease) {
				all[graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID}] = true
			}
		}
	}
	return all
}

// isHistory says whether a lease is known as one of build history, which wants
// blobs to show and no snapshots: buildkit puts nothing but content into it.
func isHistory(lease inventory.Lease) bool {
	return ours.KindOf(lease.Lease) == ours.KindHistory &&
		!slices.ContainsFunc(lease.Resources, func(r leases.Resource) bool { return r.Type != "content" })
}

func (c *Collector) snapshotLabels(n graph.Node) map[string]string {
	s, ok := c.Spaces[n.Namespace]
	if !ok {
		return nil
	}
	return store.SnapshotLabels(s.Blobs[digest.Digest(n.Key)].Labels.Map())
}

// Snapshots returns the topmost snapshots of an orphan as resources of a lease.
func (o Orphan) Snapshots() []leases.Resource {
	var tops []leases.Resource
	for key, value := range o.Labels {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, store.SnapshotLabel), "/")
		if snapshotter == "" {
			continue // a label that means nothing, and no lease takes its snapshot
		}
		tops = append(tops, leases.Resource{Type: "snapshots/" + snapshotter, ID: value})
	}
	slices.SortFunc(tops, func(a, b leases.Resource) int { return strings.Compare(a.Type, b.Type) })
	return tops
}
