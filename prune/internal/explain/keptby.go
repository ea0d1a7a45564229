package explain

import (
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// maxHolds bounds how many are listed, as there may be any number of labels.
const maxHolds = 2 * gc.MaxChains

// holds finds what keeps an object apart from images and containers: what is at
// the beginning of its chains.
func holds(m *plan.Model, n graph.Node, chains []gc.Chain) []cause.Keeper {
	found := []cause.Keeper{}
	seen := make(map[graph.Node]bool)
	for _, chain := range chains {
		root := chain[0]
		root.Flat = false
		if len(found) >= maxHolds || seen[root] {
			continue
		}
		seen[root] = true
		found = append(found, holdsOf(m, n, root)...)
	}
	return found[:min(len(found), maxHolds)]
}

// holdsOf are those of one root.
func holdsOf(m *plan.Model, n, root graph.Node) []cause.Keeper {
	c := m.Collector
	s := c.Spaces[root.Namespace]
	h := c.Keeper(root).In(n.Namespace)
	switch root.Kind {
	case graph.KindImage:
		return pinsOf(h, s.Records[root.Key])
	case graph.KindContent:
		return rootedBy(h, s.Blobs[digest.Digest(root.Key)].Labels, func(label string) string {
			return cause.Ctr(s.Name, "content", "label", root.Key, label)
		})
	case graph.KindSnapshot:
		key := inventory.ParseSnapshotKey(root.Key)
		return rootedBy(h, s.Snapshots[key].Labels, func(label string) string {
			return "CONTAINERD_SNAPSHOTTER=" + cause.ShellQuote(key.Snapshotter) + " " + cause.Ctr(s.Name, "snapshots", "label", key.Key, label)
		})
	case graph.KindLease:
		return []cause.Keeper{ended(h, "", ending(c, s, root.Key))}
	case graph.KindIngest:
		return []cause.Keeper{ended(h, "", "")}
	default:
		return nil
	}
}

// ended adds a label that keeps an object, if it is one, and the command that ends
// it, if there is one.
func ended(k cause.Keeper, label, command string) cause.Keeper {
	p := cause.Parts{}
	if k.HolderParts != nil {
		p = *k.HolderParts
	}
	p.Label, p.Command = label, command
	k.HolderParts = &p
	return k
}

// pinsOf are the labels of a record that keep its image whatever the policy is.
func pinsOf(h cause.Keeper, record *images.Image) []cause.Keeper {
	var found []cause.Keeper
	for _, key := range rules.Pins(record) {
		found = append(found, ended(h, key+"="+record.Labels[key], cause.LabelImage(h.HeldBy.Namespace, record.Name, key+"=")))
	}
	return found
}

// rootedBy are the labels of an object that make it a root.
func rootedBy(h cause.Keeper, labels inventory.Labels, command func(label string) string) []cause.Keeper {
	var found []cause.Keeper
	for _, label := range labels {
		if strings.HasPrefix(label.Key, gc.LabelRoot) && len(found) < maxHolds {
			found = append(found, ended(h, label.Key+"="+label.Value, command(label.Key+"=")))
		}
	}
	return found
}

// ending is the command that ends a lease: that of its client, or if it has none
// the one that deletes it. Those of runs and builds end by themselves.
func ending(c *gc.Collector, s *gc.Space, id string) string {
	switch kind := s.KindOf(s.LeaseByID[id]); kind {
	case leases.KindCache, leases.KindHistory, leases.KindView:
		return c.Freeing(s.Name, kind)
	case leases.KindDocker:
		return "docker rm " + cause.ShellQuote(id)
	case leases.KindPod:
		return "crictl rmp " + cause.ShellQuote(id)
	case leases.KindPull, leases.KindOther:
		return cause.Ctr(s.Name, "leases", "rm", id)
	default:
		return ""
	}
}
