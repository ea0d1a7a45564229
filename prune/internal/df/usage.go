package df

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Usage tells what the store holds and who holds it: reclaimable is what this
// plan frees. Every snapshot must have been measured for it, as flow.ReadPlan does
// with AllSizes. Objects adds every blob and snapshot. Where nothing else is
// asked of the plan, [ReadUsage] costs less.
func Usage(p *plan.Plan, objects bool) *DiskUsage {
	return PlanUsage(p, p.Modelled(), objects)
}

// ReadUsage reads the store, measures every snapshot, and returns what [Usage]
// returns for a plan made by the policy. The error may be a
// *[rules.PolicyError].
func ReadUsage(ctx context.Context, store store.Store, policy rules.Policy, now time.Time, opts read.ReadOptions, objects bool) (*DiskUsage, error) {
	inv, err := read.Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	var unknown inventory.Amount
	p, m, err := flow.PlanMeanwhile(ctx, store, inv, policy, now, opts, func(ctx context.Context, ruler *read.Ruler) (err error) {
		unknown, err = disk.Unknown(ctx, store, inv, ruler.OnDisk())
		return err
	})
	if err != nil {
		return nil, err
	}
	usage := PlanUsage(p, m, objects)
	usage.addUnknown(unknown)
	return usage, nil
}

// addUnknown adds what containerd does not know, as a class of its own.
func (d *DiskUsage) addUnknown(unknown inventory.Amount) {
	if unknown == (inventory.Amount{}) {
		return
	}
	d.Total.Add(unknown)
	d.Holders = append(d.Holders, HolderUsage{Class: UnknownFiles, Amount: unknown})
	d.Types = append(d.Types, TypeUsage{Type: UnknownFiles, Total: unknown.Blobs + unknown.Snapshots, SizeBytes: unknown.TotalBytes, AtLeast: unknown.AtLeast})
}

// PlanUsage is [Usage] with the model that the plan was made with.
func PlanUsage(p *plan.Plan, m *plan.Model, objects bool) *DiskUsage {
	inv, plan := p.Inventory, p
	u := NewAccounting(inv, plan, m)
	d := &DiskUsage{
		Store: inv.Store, Time: p.Now,
		Reclaimable:     plan.Predicted(),
		UseWatchedSince: p.Policy.LastUse.Since(p.Now),
		Notes:           inv.Notes(), Namespaces: []NamespaceUsage{}, Images: []ImageUsage{},
	}
	d.Holders, d.Total = u.holders()
	u.Totals = u.Collector.Totals(u.Collector.Sizes(), TargetsOf(plan.Chosen))
	rest := plan.Decisions // in the order of the namespaces
	for _, ns := range plan.Chosen {
		n := 0
		for n < len(rest) && rest[n].Namespace == ns.Name {
			n++
		}
		images := u.Images(ns, rest[:n])
		d.Namespaces = append(d.Namespaces, u.namespace(ns, images))
		d.Images = append(d.Images, images...)
		rest = rest[n:]
	}
	for _, ns := range inv.Namespaces {
		for _, ingest := range ns.Ingests {
			d.IngestBytes = inventory.Saturate(d.IngestBytes, ingest.Offset)
		}
	}
	u.count(d.Images)
	d.Types = u.types.list()
	d.Total.AtLeast = d.Total.AtLeast || len(inv.Silent()) > 0 || inv.AnyUnread()
	if objects {
		d.Objects = u.objects(d)
	}
	return d
}

// Accounting is the working state of [Usage].
type Accounting struct {
	Inv       *inventory.Inventory
	plan      *plan.Plan
	Collector *gc.Collector
	after     graph.Reached
	Walk      *graph.Walk
	classes   []classMark
	Owners    graph.Ownership
	// Index is the owner of each image, by namespace and target.
	Index map[plan.ImageKey]graph.Owner
	gone  map[plan.ImageKey]bool
	// adding is what the images add to what the plan frees.
	adding *plan.Weights
	types  types
	// Totals is what each target reaches.
	Totals map[graph.Node]gc.Total
}

// NewAccounting makes every image of an inventory an owner, and finds who owns what.
func NewAccounting(inv *inventory.Inventory, p *plan.Plan, m *plan.Model) *Accounting {
	u := &Accounting{
		Inv: inv, plan: p, adding: p.Weights, types: make(types),
		Index: make(map[plan.ImageKey]graph.Owner), gone: make(map[plan.ImageKey]bool),
	}
	u.Collector, u.after = m.Collector, m.After
	if u.adding == nil {
		u.adding = p.Adding(m)
	}
	u.Walk = u.Collector.Walk()
	u.classify()
	u.Assign()
	for _, d := range p.Decisions {
		key := plan.ImageKey{Namespace: d.Namespace, Target: d.Target.Digest}
		if _, seen := u.gone[key]; !seen {
			u.gone[key] = true
		}
		u.gone[key] = u.gone[key] && d.Action == rules.Remove
	}
	return u
}

// Assign makes each image an owner, and everything else one more.
func (u *Accounting) Assign() {
	owners := [][]graph.Node{nil}
	for _, root := range u.Collector.Roots(gc.Change{}) {
		if root.Kind != graph.KindImage {
			owners[0] = append(owners[0], root)
			continue
		}
		record := u.Collector.Spaces[root.Namespace].Records[root.Key]
		key := plan.ImageKey{Namespace: root.Namespace, Target: record.Target.Digest}
		i, ok := u.Index[key]
		if !ok {
			i = graph.Owner(len(owners))
			u.Index[key] = i
			owners = append(owners, nil)
		}
		owners[i] = append(owners[i], root)
	}
	u.Owners = u.Collector.Graph.Own(owners, u.Collector.Next.Of)
}

// BlobOwner is who alone owns a blob.
func (u *Accounting) BlobOwner(dgst digest.Digest) graph.Owner {
	return u.Collector.BlobOwner(u.Owners, dgst)
}

func (u *Accounting) namespace(ns *inventory.Namespace, images []ImageUsage) NamespaceUsage {
	usage := NamespaceUsage{Name: ns.Name, Images: len(images), Names: len(ns.Images), Containers: len(ns.Containers), Leases: len(ns.Leases), Ingests: len(ns.Ingests), ReclaimableBytes: u.adding.Rest[ns.Name]}
	for i := range images {
		usage.ReclaimableBytes = inventory.Saturate(usage.ReclaimableBytes, images[i].ReclaimableBytes)
	}
	for dgst, blob := range ns.Blobs {
		usage.AddBlob(blob.Size)
		if len(u.Collector.Homes(dgst)) == 1 {
			usage.UniqueBytes = inventory.Saturate(usage.UniqueBytes, blob.Size)
		}
	}
	usage.AtLeast = len(ns.Silences) > 0
	for key := range ns.Snapshots {
		id := inventory.SnapshotID{Namespace: ns.Name, SnapshotKey: key}
		bytes := u.Inv.Size(id)
		usage.AddSnapshot(bytes)
		usage.UniqueBytes = inventory.Saturate(usage.UniqueBytes, bytes)
	}
	return usage
}

// Images lists the images of a namespace, the one that alone frees most first.
func (u *Accounting) Images(ns *inventory.Namespace, decided []rules.Decision) []ImageUsage {
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
		// A record that is kept explains the image better than one that is removed.
		if usage := byTarget[d.Target.Digest]; usage.Reason == "" || d.Action != rules.Remove {
			usage.Cause = d.Cause
		}
		byTarget[d.Target.Digest].LastUsedAt, byTarget[d.Target.Digest].LastUsedBy = d.LastUse.At, d.LastUse.By
	}
	usages := make([]ImageUsage, len(order))
	for i, target := range order {
		usages[i] = *byTarget[target]
		slices.SortFunc(usages[i].Names, rules.CompareNames)
	}
	slices.SortStableFunc(usages, func(a, b ImageUsage) int {
		return cmp.Or(cmp.Compare(b.UniqueBytes, a.UniqueBytes), cmp.Compare(b.TotalBytes, a.TotalBytes))
	})
	return usages
}

// TargetsOf lists the targets of the records of the namespaces.
func TargetsOf(chosen []*inventory.Namespace) []graph.Node {
	var targets []graph.Node
	for _, ns := range chosen {
		for _, record := range ns.Images {
			targets = append(targets, graph.Node{Kind: graph.KindContent, Namespace: ns.Name, Key: record.Target.Digest.String()})
		}
	}
	return targets
}

func (u *Accounting) image(ns *inventory.Namespace, record images.Image) *ImageUsage {
	target := graph.Node{Kind: graph.KindContent, Namespace: ns.Name, Key: record.Target.Digest.String()}
	key := plan.ImageKey{Namespace: ns.Name, Target: record.Target.Digest}
	all, alone := u.Totals[target], inventory.Amount{}
	if mine, rooted := u.Index[key]; rooted {
		alone = u.alone(ns, target, mine)
	}
	if all.Bound && all.TotalBytes <= alone.TotalBytes {
		all.Amount = alone // the better bound
	}
	usage := &ImageUsage{
		Namespace: ns.Name, Target: key.Target, CreatedAt: record.CreatedAt, Amount: all.Amount, AtLeast: all.Bound || all.AtLeast || len(ns.Silences) > 0,
		UniqueBytes: alone.TotalBytes, SharedBytes: all.TotalBytes - alone.TotalBytes,
		ReclaimableBytes: u.adding.Images[key].FreesBytes, Unused: u.gone[key],
	}
	return usage
}

// alone sums up what an image alone holds. All that leads there is its own as
// well, so that all images together cost no more than the store.
func (u *Accounting) alone(ns *inventory.Namespace, target graph.Node, mine graph.Owner) (sum inventory.Amount) {
	u.Walk.Within(target, func(id graph.NodeID) bool { return u.Owners.OfID(id) == mine }, func(id graph.NodeID) {
		switch n := u.Collector.Graph.Nodes[id]; n.Kind {
		case graph.KindContent:
			if blob, ok := ns.Blobs[digest.Digest(n.Key)]; ok && u.BlobOwner(digest.Digest(n.Key)) == mine {
				sum.AddBlob(blob.Size)
			}
		case graph.KindSnapshot:
			if id := inventory.SnapshotOf(n); u.Collector.Exists(id) {
				sum.AddSnapshot(u.Inv.Size(id))
			}
		}
	})
	return sum
}
