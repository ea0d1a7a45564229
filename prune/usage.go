package prune

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

// Usage tells what the store holds and who holds it: reclaimable is what this
// plan frees. Every snapshot must have been measured for it, as [ReadPlan] does
// with AllSizes. Objects adds every blob and snapshot. Where nothing else is
// asked of the plan, [ReadUsage] costs less.
func (p *Plan) Usage(objects bool) *DiskUsage {
	return p.usage(p.modelled(), objects)
}

// ReadUsage reads the store, measures every snapshot, and tells what it holds as
// [Plan.Usage] does of a plan by the policy. The error may be a *[PolicyError].
func ReadUsage(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions, objects bool) (*DiskUsage, error) {
	inv, err := Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	plan, m, err := planMeanwhile(ctx, store, inv, policy, now, newMeter(opts.Progress, StageRead))
	if err != nil {
		return nil, err
	}
	return plan.usage(m, objects), nil
}

func (p *Plan) usage(m *model, objects bool) *DiskUsage {
	inv, plan := p.inventory, p
	u := newUsage(inv, plan, m)
	d := &DiskUsage{
		Store: inv.Store, Time: p.now,
		Total: u.all.amount(), Reclaimable: plan.Predicted(),
		Holders: u.holders(), Namespaces: []NamespaceUsage{}, Images: []ImageUsage{},
	}
	u.totals = u.collector.totals(u.collector.sizes(), targetsOf(plan.chosen))
	decided := make(map[string][]Decision, len(plan.chosen))
	for _, decision := range plan.decisions {
		decided[decision.Namespace] = append(decided[decision.Namespace], decision)
	}
	for _, ns := range plan.chosen {
		usage := u.namespace(ns)
		d.Namespaces = append(d.Namespaces, usage)
		d.Images = append(d.Images, u.images(ns, decided[ns.Name])...)
	}
	for _, ns := range inv.Namespaces {
		for _, ingest := range ns.Ingests {
			d.IngestBytes = saturate(d.IngestBytes, ingest.Offset)
		}
	}
	if objects {
		d.Objects = u.objects(d)
	}
	return d
}

// diskUsage is the working state of [Plan.Usage].
type diskUsage struct {
	inv       *Inventory
	plan      *Plan
	collector *collector
	after     reached
	all       objects
	walk      *walk
	classes   []classMark
	owners    ownership
	// index is the owner of each image, by namespace and target.
	index map[imageKey]owner
	gone  map[imageKey]bool
	// totals is what each target reaches.
	totals map[node]total
}

type imageKey struct {
	ns     string
	target digest.Digest
}

func newUsage(inv *Inventory, plan *Plan, m *model) *diskUsage {
	u := &diskUsage{
		inv: inv, plan: plan, all: inv.objects(),
		index: make(map[imageKey]owner), gone: make(map[imageKey]bool),
	}
	u.collector, u.after = m.collector, m.after
	u.walk = u.collector.walk()
	u.classify()
	u.assign()
	for _, d := range plan.decisions {
		key := imageKey{d.Namespace, d.Target.Digest}
		if _, seen := u.gone[key]; !seen {
			u.gone[key] = true
		}
		u.gone[key] = u.gone[key] && d.Action == Remove
	}
	return u
}

// assign makes each image an owner, and everything else one more.
func (u *diskUsage) assign() {
	owners := [][]node{nil}
	for _, root := range u.collector.roots(change{}) {
		if root.kind != kindImage {
			owners[0] = append(owners[0], root)
			continue
		}
		record := u.collector.spaces[root.ns].records[root.key]
		key := imageKey{root.ns, record.Target.Digest}
		i, ok := u.index[key]
		if !ok {
			i = owner(len(owners))
			u.index[key] = i
			owners = append(owners, nil)
		}
		owners[i] = append(owners[i], root)
	}
	u.owners = u.collector.graph.own(owners, u.collector.next.of)
}

// blobOwner combines the namespaces that know a blob, for its file is one, and
// the uploads that take it from there.
func (u *diskUsage) blobOwner(dgst digest.Digest) owner {
	combined := nobody
	for _, s := range u.collector.homes[dgst] {
		combined = combined.and(u.owners.of(node{kind: kindContent, ns: s.Name, key: dgst.String()}))
	}
	for _, upload := range u.collector.awaited[dgst] {
		combined = combined.and(u.owners.of(upload))
	}
	return combined
}

func (u *diskUsage) namespace(ns *Namespace) NamespaceUsage {
	usage := NamespaceUsage{Name: ns.Name, Images: len(ns.Images), Containers: len(ns.Containers), Leases: len(ns.Leases), Ingests: len(ns.Ingests)}
	for dgst, blob := range ns.Blobs {
		usage.addBlob(blob.Size)
		if len(u.collector.homes[dgst]) == 1 {
			usage.UniqueBytes = saturate(usage.UniqueBytes, blob.Size)
		}
		if _, ok := u.plan.outcome.freed.blobs[dgst]; ok {
			usage.ReclaimableBytes = saturate(usage.ReclaimableBytes, blob.Size)
		}
	}
	for key := range ns.Snapshots {
		id := SnapshotID{ns.Name, key}
		bytes := u.inv.size(id)
		usage.addSnapshot(bytes)
		usage.UniqueBytes = saturate(usage.UniqueBytes, bytes)
		if _, ok := u.plan.outcome.freed.snapshots[id]; ok {
			usage.ReclaimableBytes = saturate(usage.ReclaimableBytes, bytes)
		}
	}
	return usage
}

// images lists the images of a namespace, the one that alone frees most first.
func (u *diskUsage) images(ns *Namespace, decided []Decision) []ImageUsage {
	byTarget := make(map[digest.Digest]*ImageUsage)
	var order []digest.Digest
	for _, record := range ns.Images {
		target := record.Target.Digest
		if byTarget[target] == nil {
			byTarget[target] = u.image(ns, record)
			order = append(order, target)
		}
		byTarget[target].Names = append(byTarget[target].Names, record.Name)
	}
	for _, d := range decided {
		// A record that is kept explains the image better than one that goes.
		if usage := byTarget[d.Target.Digest]; usage.Reason == "" || d.Action != Remove {
			usage.Cause = d.Cause
		}
	}
	usages := make([]ImageUsage, len(order))
	for i, target := range order {
		usages[i] = *byTarget[target]
	}
	slices.SortStableFunc(usages, func(a, b ImageUsage) int {
		return cmp.Or(cmp.Compare(b.UniqueBytes, a.UniqueBytes), cmp.Compare(b.TotalBytes, a.TotalBytes))
	})
	return usages
}

// targetsOf lists the targets of the records of the namespaces.
func targetsOf(chosen []*Namespace) []node {
	var targets []node
	for _, ns := range chosen {
		for _, record := range ns.Images {
			targets = append(targets, node{kind: kindContent, ns: ns.Name, key: record.Target.Digest.String()})
		}
	}
	return targets
}

func (u *diskUsage) image(ns *Namespace, record images.Image) *ImageUsage {
	target := node{kind: kindContent, ns: ns.Name, key: record.Target.Digest.String()}
	key := imageKey{ns.Name, record.Target.Digest}
	all, alone := u.totals[target], Amount{}
	if mine, rooted := u.index[key]; rooted {
		alone = u.alone(ns, target, mine)
	}
	if all.bound && all.TotalBytes <= alone.TotalBytes {
		all.Amount = alone // the better bound
	}
	usage := &ImageUsage{
		Namespace: ns.Name, Target: key.target, CreatedAt: record.CreatedAt, Amount: all.Amount, AtLeast: all.bound,
		UniqueBytes: alone.TotalBytes, SharedBytes: all.TotalBytes - alone.TotalBytes,
	}
	if u.gone[key] {
		usage.Unused = true
		usage.ReclaimableBytes = usage.UniqueBytes
	}
	return usage
}

// alone sums up what an image alone holds. All that leads there is its own as
// well, so that all images together cost no more than the store.
func (u *diskUsage) alone(ns *Namespace, target node, mine owner) (sum Amount) {
	u.walk.within(target, func(id nodeID) bool { return u.owners.ofID(id) == mine }, func(id nodeID) {
		switch n := u.collector.graph.nodes[id]; n.kind {
		case kindContent:
			if blob, ok := ns.Blobs[digest.Digest(n.key)]; ok && u.blobOwner(blob.Digest) == mine {
				sum.addBlob(blob.Size)
			}
		case kindSnapshot:
			if id := n.snapshot(); u.collector.exists(id) {
				sum.addSnapshot(u.inv.size(id))
			}
		}
	})
	return sum
}
