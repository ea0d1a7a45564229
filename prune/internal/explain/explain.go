package explain

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Explanation says what an object is, who holds it and what a prune would do
// with it.
type Explanation struct {
	Object graph.Object `json:"object"`
	// Bytes are the object's own, without what it refers to.
	Bytes int64 `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: the snapshot could not be measured.
	AtLeast   bool          `json:"atLeast,omitempty"`
	Target    digest.Digest `json:"target,omitempty"`
	CreatedAt time.Time     `json:"createdAt,omitzero"`
	// Labels are those of an image record, as KEY=VALUE, and MoreLabels counts
	// those that are not listed.
	Labels     []string `json:"labels"`
	MoreLabels int      `json:"moreLabels"`
	// UsedBy are the clients that use the image, in words.
	UsedBy []string `json:"usedBy"`
	// LastUseDocument is the last use of an image record's target that is known.
	document.LastUseDocument
	// UseWatchedSince is from when on it has been watched without a gap when images
	// are used, absent if nobody watches.
	UseWatchedSince time.Time `json:"useWatchedSince,omitzero"`
	// Chains lead from what holds the object down to it, one for each holder;
	// those of an image to its content.
	Chains [][]graph.Object `json:"chains"`
	// MoreChains counts the holders beyond those listed.
	MoreChains int `json:"moreChains"`
	// KeptBy are the leases, labels and uploads among what holds the object. The
	// parts have the label, as KEY=VALUE, and the command that ends it; there is none
	// if it ends by itself.
	KeptBy []cause.Keeper `json:"keptBy"`
	// Holds is everything that the object reaches, itself included.
	Holds inventory.Amount `json:"holds"`
	// Frees is what removing the object would free: a record with the other
	// names of its image, content or a snapshot with all images that hold it.
	Frees inventory.Amount `json:"frees"`
	// Parts are what the object refers to.
	Parts     []Part `json:"parts"`
	MoreParts int    `json:"moreParts"`
	// Decisions are what a prune by the policy does with the records that
	// lead to the object.
	Decisions []document.ImageDocument `json:"decisions"`
	// Notes say what is good to know, such as of a label that keeps nothing.
	Notes []cause.Cause `json:"notes"`
}

// Explain reads the store and describes the object that text names: an image, a
// digest, a snapshot, a container. It includes the decisions that a prune with
// this policy would make. Only the snapshots in the answer are measured. The
// error may be a *[rules.PolicyError] or an *[AmbiguousError].
func Explain(ctx context.Context, store store.Store, text string, policy rules.Policy, now time.Time, opts read.ReadOptions) (*Explanation, error) {
	inv, err := read.Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	p, m, n, err := FindSubject(inv, text, policy, now)
	if err != nil {
		return nil, err
	}
	sizes, err := read.Measure(ctx, store, inv, snapshotsOf(m.Collector, n), opts)
	if err != nil {
		return nil, err
	}
	return ExplainNode(p, m.Sized(inv.WithSizes(sizes)), n), nil
}

// FindSubject plans and finds what a text names.
func FindSubject(inv *inventory.Inventory, text string, policy rules.Policy, now time.Time) (*plan.Plan, *plan.Model, graph.Node, error) {
	p, m, err := plan.NewPlanAndModel(inv, policy, now, make(map[string]rules.View))
	if err != nil {
		return nil, nil, graph.Node{}, err
	}
	n, err := find(m.Collector, text, policy.Within())
	return p, m, n, err
}

// ExplainNode tells about an object of a plan that is known already.
func ExplainNode(p *plan.Plan, m *plan.Model, n graph.Node) *Explanation {
	c := m.Collector
	e := &Explanation{Object: n.Object(), UsedBy: []string{}, Chains: [][]graph.Object{}, Decisions: []document.ImageDocument{}, Labels: []string{}, Notes: []cause.Cause{}}
	e.UseWatchedSince = p.Policy.LastUse.Since(p.Now)
	addFacts(c, e, n)
	e.addLabels(m, n)
	chains := c.Chains(subjectOf(c, n))
	e.MoreChains = max(0, len(chains)-gc.MaxChains)
	for _, chain := range chains[:len(chains)-e.MoreChains] {
		e.Chains = append(e.Chains, chain.Objects())
	}
	e.KeptBy = holds(m, n, chains)
	e.Holds = Holdings(c, n)
	e.Frees = c.Frees(without(c, n, chains)).Amount()
	e.Parts, e.MoreParts = dissect(c).parts(n, 0)
	e.Parts = document.List(e.Parts)
	e.addDecisions(p, m, n, chains)
	return e
}

// subjectOf is what the holders of an object are asked for: the content of an
// image rather than its record, which holds itself.
func subjectOf(c *gc.Collector, n graph.Node) graph.Node {
	if n.Kind != graph.KindImage {
		return n
	}
	s := c.Spaces[n.Namespace]
	target := s.Records[n.Key].Target.Digest
	if _, present := s.Blobs[target]; !present {
		return n
	}
	return graph.Node{Kind: graph.KindContent, Namespace: n.Namespace, Key: target.String()}
}

// facts fills in what the object itself tells.
func addFacts(c *gc.Collector, e *Explanation, n graph.Node) {
	s := c.Spaces[n.Namespace]
	switch n.Kind {
	case graph.KindImage:
		record := s.Records[n.Key]
		e.Target, e.CreatedAt = record.Target.Digest, record.CreatedAt
	case graph.KindContent:
		blob := s.Blobs[digest.Digest(n.Key)]
		e.Bytes, e.CreatedAt = blob.Size, blob.CreatedAt
	case graph.KindSnapshot:
		snapshot := s.Snapshots[inventory.ParseSnapshotKey(n.Key)]
		bytes := c.Inv.Size(inventory.SnapshotOf(n))
		e.Bytes, e.AtLeast, e.CreatedAt = inventory.Known(bytes), bytes == inventory.Unmeasured, snapshot.Created
	case graph.KindContainer:
		e.CreatedAt = s.ContainerByID[n.Key].CreatedAt
	case graph.KindLease:
		e.CreatedAt = s.LeaseByID[n.Key].CreatedAt
	case graph.KindIngest:
		for _, ingest := range s.Ingests {
			if ingest.Ref == n.Key {
				e.Bytes, e.CreatedAt = ingest.Offset, ingest.StartedAt
			}
		}
	}
}

// maxLabels bounds how many labels are listed: a record may have any number.
const maxLabels = 100

// addLabels adds the labels of a record, and notes those that do not do what they
// look like.
func (e *Explanation) addLabels(m *plan.Model, n graph.Node) {
	if n.Kind != graph.KindImage {
		return
	}
	ns := m.Collector.Inv.Namespace(n.Namespace)
	record := m.Collector.Spaces[n.Namespace].Records[n.Key]
	keys := slices.Sorted(maps.Keys(record.Labels))
	e.MoreLabels = max(0, len(keys)-maxLabels)
	for _, key := range keys[:len(keys)-e.MoreLabels] {
		e.Labels = append(e.Labels, key+"="+record.Labels[key])
	}
	e.Notes = append(e.Notes, rules.Lookalikes(ns, record, func() *rules.Unit {
		return m.View(ns).Catalog.Units[record.Target.Digest]
	})...)
}

// Holdings sums up what a node reaches.
func Holdings(c *gc.Collector, n graph.Node) inventory.Amount {
	var a inventory.Amount
	s := c.Spaces[n.Namespace]
	seen := make(map[graph.Node]bool) // a lease may hold the same object flat and, by an upload, whole
	c.Walk().Below(n, func(_ graph.NodeID, m graph.Node) {
		m.Flat = false
		if seen[m] {
			return
		}
		seen[m] = true
		switch m.Kind {
		case graph.KindContent:
			if blob, ok := s.Blobs[digest.Digest(m.Key)]; ok {
				a.AddBlob(blob.Size)
			}
		case graph.KindSnapshot:
			if id := inventory.SnapshotOf(m); c.Exists(id) {
				a.AddSnapshot(c.Inv.Size(id))
			}
		}
	})
	return a
}

// without is the change that removes the object: a record goes with the other
// names of its image, a lease goes, and content or a snapshot goes with all
// records that hold it.
func without(c *gc.Collector, n graph.Node, chains []gc.Chain) gc.Change {
	ch := gc.Change{Removed: make(map[graph.Node]bool), Ignored: make(map[graph.Node]bool)}
	switch n.Kind {
	case graph.KindLease, graph.KindIngest:
		ch.Ignored[n] = true
	case graph.KindContainer, graph.KindSandbox:
		ch.Removed[n] = true
	case graph.KindImage:
		s := c.Spaces[n.Namespace]
		target := s.Records[n.Key].Target.Digest
		for _, record := range s.Images {
			if record.Target.Digest == target {
				ch.Removed[graph.Node{Kind: graph.KindImage, Namespace: n.Namespace, Key: record.Name}] = true
			}
		}
	case graph.KindContent, graph.KindSnapshot:
		for _, chain := range chains {
			if chain[0].Kind == graph.KindImage {
				ch.Removed[chain[0]] = true
			}
		}
	}
	return ch
}

// addDecisions adds what the plan does with the object's record, or with the
// records that hold it, and who uses these.
func (e *Explanation) addDecisions(plan *plan.Plan, m *plan.Model, n graph.Node, chains []gc.Chain) {
	wanted := map[graph.Node]bool{n: true}
	for _, chain := range chains {
		wanted[chain[0]] = true
	}
	if n.Kind == graph.KindContainer {
		addImageOf(m, wanted, n)
	}
	for _, d := range plan.Decisions {
		if wanted[graph.Node{Kind: graph.KindImage, Namespace: d.Namespace, Key: d.Name}] {
			e.Decisions = append(e.Decisions, document.DocumentOf(d))
		}
		if n.Kind == graph.KindImage && d.Namespace == n.Namespace && d.Name == n.Key {
			e.LastUseDocument = document.DocumentOf(d).LastUseDocument
		}
	}
	if n.Kind == graph.KindImage {
		e.UsedBy = append(e.UsedBy, usersOf(m, n)...)
	}
}

// addImageOf adds the records that a container's use resolves to.
func addImageOf(m *plan.Model, wanted map[graph.Node]bool, n graph.Node) {
	s := m.Collector.Spaces[n.Namespace]
	use, err := inventory.ContainerUse(s.ContainerByID[n.Key])
	if err != nil {
		return // the plan says so: the namespace is closed
	}
	catalog := m.View(s.Namespace).Catalog
	used := rules.Resolve(catalog, []inventory.Use{use})
	for name := range used.Names {
		wanted[graph.Node{Kind: graph.KindImage, Namespace: n.Namespace, Key: name}] = true
	}
	for target := range used.Units {
		for _, record := range catalog.Units[target].Records {
			wanted[graph.Node{Kind: graph.KindImage, Namespace: n.Namespace, Key: record.Name}] = true
		}
	}
}

// usersOf lists who uses a record or its image.
func usersOf(m *plan.Model, n graph.Node) []string {
	ns := m.Collector.Inv.Namespace(n.Namespace)
	used := m.View(ns).Usage
	var targets []digest.Digest
	for _, image := range ns.Images {
		if image.Name == n.Key {
			targets = append(targets, image.Target.Digest)
		}
	}
	return used.Users(n.Key, targets)
}
