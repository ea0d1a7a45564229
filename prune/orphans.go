package prune

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// maxSnapshotLabels is the most bytes of snapshot labels that are taken off a
// config: they are written down before, and may be six times as long in JSON.
const maxSnapshotLabels = ours.MaxDoc / 8

// orphan is the config of a removed image which no record reaches any more
// but build history holds. Without its snapshot labels its snapshots can go.
type orphan struct {
	Namespace string            `json:"namespace"`
	Config    digest.Digest     `json:"config"`
	Labels    map[string]string `json:"labels"`
}

func (o orphan) node() node {
	return node{kind: kindContent, ns: o.Namespace, key: o.Config.String()}
}

// orphans finds the configs, among what the removed images touch, that only
// build history holds after the change. Every other lease keeps what it holds,
// the snapshots too: of a pull or a build in progress, which may be about to
// make an image of the same config, and of a client that nobody here knows.
func (c *collector) orphans(ch change, touched reached) []orphan {
	bare := ch
	bare.ignored = c.withHistory(ch.ignored)
	if len(bare.ignored) == len(ch.ignored) {
		return nil
	}
	with, without := c.reach(ch), c.reach(bare)
	var found []orphan
	for n := range touched.all() {
		if n.kind != kindContent || n.flat || !with.has(n) || without.has(n) {
			continue
		}
		blob := c.blob(n)
		if labels := ours.SnapshotLabels(blob.Labels); len(labels) > 0 && lengthOf(labels) <= maxSnapshotLabels {
			found = append(found, orphan{Namespace: n.ns, Config: blob.Digest, Labels: labels})
		}
	}
	slices.SortFunc(found, func(a, b orphan) int { return compareNodes(a.node(), b.node()) })
	return found
}

func lengthOf(labels map[string]string) (bytes int) {
	for key, value := range labels {
		bytes += len(key) + len(value)
	}
	return bytes
}

// withHistory adds the leases of build history to those that count as gone.
func (c *collector) withHistory(ignored map[node]bool) map[node]bool {
	all := maps.Clone(ignored)
	if all == nil {
		all = make(map[node]bool)
	}
	for _, s := range c.order {
		for _, lease := range s.Leases {
			if isHistory(lease) {
				all[node{kind: kindLease, ns: s.Name, key: lease.ID}] = true
			}
		}
	}
	return all
}

// isHistory says whether a lease is known as one of build history, which wants
// blobs to show and no snapshots: buildkit puts nothing but content into it.
func isHistory(lease Lease) bool {
	return ours.KindOf(lease.Lease) == ours.KindHistory &&
		!slices.ContainsFunc(lease.Resources, func(r leases.Resource) bool { return r.Type != "content" })
}

func (c *collector) blob(n node) content.Info {
	s, ok := c.spaces[n.ns]
	if !ok {
		return content.Info{}
	}
	return s.Blobs[digest.Digest(n.key)]
}

func parseSnapshotKey(s string) SnapshotKey {
	snapshotter, key, _ := strings.Cut(s, "/")
	return SnapshotKey{snapshotter, key}
}
