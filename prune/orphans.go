package prune

import (
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// orphan is the config of a removed image which no record reaches any more
// but a build-history lease holds. Without its snapshot labels its snapshots
// can go.
type orphan struct {
	Namespace string            `json:"namespace"`
	Config    digest.Digest     `json:"config"`
	Labels    map[string]string `json:"labels"`
}

func (o orphan) node() node {
	return node{kind: kindContent, ns: o.Namespace, key: o.Config.String()}
}

// orphans finds the configs, among what the removed images touch, that only
// build-history leases hold after the change. A lease with an expiry belongs
// to a pull or a build in progress, which may be about to make an image of the
// same config: what it holds is left alone. So is what a lease holds through a
// manifest, for that client wants the image, unpacked.
func (c *collector) orphans(ch change, touched reached) []orphan {
	if !c.keepsHistory() {
		return nil
	}
	var candidates []orphan
	for n := range touched.all() {
		if n.kind != kindContent || n.flat {
			continue
		}
		blob := c.blob(n)
		if labels := leases.SnapshotLabels(blob.Labels); len(labels) > 0 {
			candidates = append(candidates, orphan{Namespace: n.ns, Config: blob.Digest, Labels: labels})
		}
	}
	slices.SortFunc(candidates, func(a, b orphan) int { return compareNodes(a.node(), b.node()) })
	bare := ch
	bare.ignored, bare.severed = c.withoutHistory(ch.ignored, candidates)
	if len(bare.severed) == 0 && len(bare.ignored) == len(ch.ignored) {
		return nil
	}
	with, without := c.reach(ch), c.reach(bare)
	var found []orphan
	for _, candidate := range candidates {
		if n := candidate.node(); with.has(n) && !without.has(n) {
			found = append(found, candidate)
		}
	}
	return found
}

// keepsHistory says whether any lease could be one of build history.
func (c *collector) keepsHistory() bool {
	for _, s := range c.order {
		for _, lease := range s.Leases {
			if _, expires := leases.Expiry(lease.Lease); !expires && !leases.Flat(lease.Lease) {
				return true
			}
		}
	}
	return false
}

// withoutHistory returns the leases and the direct holds of leases that count
// as build history: buildkit's by their ID, and any lease without expiry that
// holds a config itself.
func (c *collector) withoutHistory(ignored map[node]bool, candidates []orphan) (map[node]bool, map[[2]node]bool) {
	without := make(map[node]bool, len(ignored))
	for n := range ignored {
		without[n] = true
	}
	severed := make(map[[2]node]bool)
	configs := make(map[node]bool, len(candidates))
	for _, candidate := range candidates {
		configs[candidate.node()] = true
	}
	for _, s := range c.order {
		for _, lease := range s.Leases {
			from := node{kind: kindLease, ns: s.Name, key: lease.ID}
			if _, expires := leases.Expiry(lease.Lease); expires || leases.Flat(lease.Lease) {
				continue
			}
			if leases.KindOf(lease.Lease) == leases.KindHistory {
				without[from] = true
			}
			for _, resource := range lease.Resources {
				if to, ok := resourceNode(s.Name, resource.Type, resource.ID); ok && configs[to] {
					severed[[2]node{from, to}] = true
				}
			}
		}
	}
	return without, severed
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
