package pressure

import (
	"cmp"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
)

// shortfall says what is missing after a plan, of the first file system on which
// something is, and who holds what is left there. It is nil if nothing is missing.
func (c *chooser) shortfall(p *plan.Plan, m *plan.Model) *cause.Cause {
	r := p.Relief
	if r.Reached {
		return nil
	}
	at := slices.IndexFunc(r.Disks, func(d plan.Disk) bool { return !d.Reached })
	parts := cause.Parts{Images: max(0, r.NeedImages-r.FreesImages)}
	if at >= 0 {
		d := r.Disks[at]
		parts.Path = d.String()
		parts.Bytes, parts.Inodes = max(0, d.NeedBytes-d.FreesBytes), max(0, d.NeedInodes-d.FreesInodes)
	} else {
		parts.Bytes = max(0, r.NeedBytes-r.FreesBytes)
	}
	parts.Shares = c.shares(p, m, at, parts.Bytes == 0 && parts.Inodes > 0)
	why := cause.Because(cause.CodeShort, parts)
	return &why
}

// shares sums up what stays of the store on a file system, or on all if the number
// is negative, by who holds it, the most first; and what is not the store's.
func (c *chooser) shares(p *plan.Plan, m *plan.Model, disk int, inodes bool) []cause.Share {
	reasons := make(map[[2]string]cause.Code)
	for i := range p.Decisions {
		reasons[p.Decisions[i].Key()] = p.Decisions[i].ReasonCode
	}
	sums := make(map[string]int64)
	c.each(c.inodes, func(o object) {
		if disk >= 0 && !c.asked.FileSystems[disk].Covers(o.id.Snapshotter) {
			return
		}
		root, held := c.rootOf(o, m.After)
		if !held {
			return
		}
		amount := o.inodes
		if !inodes {
			amount = o.bytes
			if disk >= 0 {
				amount = inBlocks(o, c.asked.FileSystems[disk].BlockBytes)
			}
		}
		holder := class(m, root, reasons)
		sums[holder] = inventory.Saturate(sums[holder], amount)
	})
	if disk >= 0 && c.asked.FileSystems[disk].Unseen == "" {
		f, used := c.asked.FileSystems[disk], c.used.disks[disk]
		if inodes {
			sums[cause.ShareOthers] = max(0, f.Inodes-f.FreeInodes-used.inodes)
		} else {
			sums[cause.ShareOthers] = max(0, f.CapacityBytes-f.AvailableBytes-used.bytes)
		}
	}
	var all []cause.Share
	for holder, amount := range sums {
		if amount > 0 && inodes {
			all = append(all, cause.Share{Holder: holder, Inodes: amount})
		} else if amount > 0 {
			all = append(all, cause.Share{Holder: holder, Bytes: amount})
		}
	}
	slices.SortFunc(all, func(a, b cause.Share) int {
		return cmp.Or(-cmp.Compare(a.Bytes, b.Bytes), -cmp.Compare(a.Inodes, b.Inodes), cmp.Compare(a.Holder, b.Holder))
	})
	return all
}

// rootOf finds a root that keeps an object.
func (c *chooser) rootOf(o object, after graph.Reached) (graph.Node, bool) {
	for _, n := range c.nodes(o) {
		if root, ok := after.Root(n); ok {
			return root, true
		}
	}
	return graph.Node{}, false
}

// class says what sort of holder a root is.
func class(m *plan.Model, root graph.Node, reasons map[[2]string]cause.Code) string {
	if root.Kind == graph.KindImage {
		switch code, decided := reasons[[2]string{root.Namespace, root.Key}]; {
		case !decided:
			if _, record := m.Collector.Spaces[root.Namespace].Records[root.Key]; !record {
				return cause.ShareContainers // a stand-in
			}
			return cause.ShareNamespaces
		case code == cause.CodeInUse || code == cause.CodeStandsIn || code == cause.CodeStandIn:
			return cause.ShareContainers
		case code == cause.CodePinned:
			return cause.SharePins
		default:
			return cause.ShareImages
		}
	}
	switch m.Collector.Keeper(root).HolderCode {
	case cause.HolderContainer, cause.HolderSandbox, cause.HolderDocker:
		return cause.ShareContainers
	case cause.HolderBuild:
		return cause.ShareBuilds
	case cause.HolderUpload:
		return cause.ShareUploads
	case cause.HolderGrace:
		return cause.ShareGraces
	case cause.HolderRootLabel, cause.HolderUnread:
		return cause.ShareLabels
	default:
		return cause.ShareLeases
	}
}
