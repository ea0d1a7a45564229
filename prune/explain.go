package prune

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"
)

// Explanation says what an object is, who holds it and what a prune does.
type Explanation struct {
	Object Object `json:"object"`
	// Bytes are the object's own, without what it refers to.
	Bytes     int64         `json:"bytes"`
	Target    digest.Digest `json:"target,omitempty"`
	CreatedAt time.Time     `json:"createdAt,omitzero"`
	// UsedBy are the clients that use the image, in words.
	UsedBy []string `json:"usedBy"`
	// Chains lead from what holds the object down to it, one for each holder;
	// those of an image to its content.
	Chains [][]Object `json:"chains"`
	// MoreChains counts the holders beyond those listed.
	MoreChains int `json:"moreChains"`
	// Holds is everything that the object reaches, itself included.
	Holds Amount `json:"holds"`
	// Frees is what removing the object would free: a record with the other
	// names of its image, content or a snapshot with all images that hold it.
	Frees Amount `json:"frees"`
	// Parts are what the object refers to.
	Parts     []Part `json:"parts"`
	MoreParts int    `json:"moreParts"`
	// Decisions are what a prune by the policy does with the records that
	// lead to the object.
	Decisions []ImageDocument `json:"decisions"`
}

// Explain reads the store and tells about the object that the text names, with
// the decisions that a prune by the policy would make. Only the snapshots that
// the answer tells of are measured. The error may be a *[PolicyError] or an
// *[AmbiguousError].
func Explain(ctx context.Context, store Store, text string, policy Policy, now time.Time, opts ReadOptions) (*Explanation, error) {
	inv, err := Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	p, m, n, err := inv.subject(text, policy, now)
	if err != nil {
		return nil, err
	}
	sizes, err := measure(ctx, store, m.collector.snapshotsOf(n), newMeter(opts.Progress, StageRead))
	if err != nil {
		return nil, err
	}
	return p.explain(m.sized(inv.WithSizes(sizes)), n), nil
}

// subject plans and finds what a text names.
func (inv *Inventory) subject(text string, policy Policy, now time.Time) (*Plan, *model, node, error) {
	p, m, err := inv.plan(policy, now, make(map[string]view))
	if err != nil {
		return nil, nil, node{}, err
	}
	n, err := m.collector.find(text, policy.within())
	return p, m, n, err
}

func (p *Plan) explain(m *model, n node) *Explanation {
	c := m.collector
	e := &Explanation{Object: n.object(), UsedBy: []string{}, Chains: [][]Object{}, Decisions: []ImageDocument{}}
	c.facts(e, n)
	chains := c.chains(c.subjectOf(n))
	e.MoreChains = max(0, len(chains)-maxChains)
	for _, chain := range chains[:len(chains)-e.MoreChains] {
		e.Chains = append(e.Chains, chain.objects())
	}
	e.Holds = c.holding(n)
	e.Frees = c.frees(c.without(n, chains)).amount()
	e.Parts, e.MoreParts = c.dissect().parts(n, 0)
	e.Parts = list(e.Parts)
	e.addDecisions(p, m, n, chains)
	return e
}

// within lists the namespaces to which a policy limits a search, none for all.
func (p Policy) within() []string {
	if p.AllNamespaces {
		return nil
	}
	return p.Namespaces
}

// subjectOf is what the holders of an object are asked for: the content of an
// image rather than its record, which holds itself.
func (c *collector) subjectOf(n node) node {
	if n.kind != kindImage {
		return n
	}
	s := c.spaces[n.ns]
	target := s.records[n.key].Target.Digest
	if _, present := s.Blobs[target]; !present {
		return n
	}
	return node{kind: kindContent, ns: n.ns, key: target.String()}
}

// facts fills in what the object itself tells.
func (c *collector) facts(e *Explanation, n node) {
	s := c.spaces[n.ns]
	switch n.kind {
	case kindImage:
		record := s.records[n.key]
		e.Target, e.CreatedAt = record.Target.Digest, record.CreatedAt
	case kindContent:
		blob := s.Blobs[digest.Digest(n.key)]
		e.Bytes, e.CreatedAt = blob.Size, blob.CreatedAt
	case kindSnapshot:
		snapshot := s.Snapshots[parseSnapshotKey(n.key)]
		e.Bytes, e.CreatedAt = c.inv.size(n.snapshot()), snapshot.Created
	case kindContainer:
		e.CreatedAt = s.containers[n.key].CreatedAt
	case kindLease:
		e.CreatedAt = s.leases[n.key].CreatedAt
	case kindIngest:
		for _, ingest := range s.Ingests {
			if ingest.Ref == n.key {
				e.Bytes, e.CreatedAt = ingest.Offset, ingest.StartedAt
			}
		}
	}
}

// holding sums up what a node reaches.
func (c *collector) holding(n node) Amount {
	var a Amount
	s := c.spaces[n.ns]
	seen := make(map[node]bool) // a lease may hold the same object flat and, by an upload, whole
	c.walk().below(n, func(_ nodeID, m node) {
		m.flat = false
		if seen[m] {
			return
		}
		seen[m] = true
		switch m.kind {
		case kindContent:
			if blob, ok := s.Blobs[digest.Digest(m.key)]; ok {
				a.addBlob(blob.Size)
			}
		case kindSnapshot:
			if id := m.snapshot(); c.exists(id) {
				a.addSnapshot(c.inv.size(id))
			}
		}
	})
	return a
}

// without is the change that removes the object: a record goes with the other
// names of its image, a lease goes, and content or a snapshot goes with all
// records that hold it.
func (c *collector) without(n node, chains []chain) change {
	ch := change{removed: make(map[node]bool), ignored: make(map[node]bool)}
	switch n.kind {
	case kindLease, kindIngest:
		ch.ignored[n] = true
	case kindContainer, kindSandbox:
		ch.removed[n] = true
	case kindImage:
		s := c.spaces[n.ns]
		target := s.records[n.key].Target.Digest
		for _, record := range s.Images {
			if record.Target.Digest == target {
				ch.removed[node{kind: kindImage, ns: n.ns, key: record.Name}] = true
			}
		}
	case kindContent, kindSnapshot:
		for _, chain := range chains {
			if chain[0].kind == kindImage {
				ch.removed[chain[0]] = true
			}
		}
	}
	return ch
}

// addDecisions adds what the plan does with the object's record, or with the
// records that hold it, and who uses these.
func (e *Explanation) addDecisions(plan *Plan, m *model, n node, chains []chain) {
	wanted := map[node]bool{n: true}
	for _, chain := range chains {
		wanted[chain[0]] = true
	}
	if n.kind == kindContainer {
		m.addImageOf(wanted, n)
	}
	for _, d := range plan.decisions {
		if wanted[node{kind: kindImage, ns: d.Namespace, key: d.Name}] {
			e.Decisions = append(e.Decisions, d.document())
		}
	}
	if n.kind == kindImage {
		e.UsedBy = append(e.UsedBy, m.usersOf(n)...)
	}
}

// addImageOf adds the records that a container's use resolves to.
func (m *model) addImageOf(wanted map[node]bool, n node) {
	s := m.collector.spaces[n.ns]
	use, err := containerUse(s.containers[n.key])
	if err != nil {
		return // the plan says so: the namespace is closed
	}
	catalog := m.view(s.Namespace).catalog
	used := resolve(catalog, []Use{use})
	for name := range used.names {
		wanted[node{kind: kindImage, ns: n.ns, key: name}] = true
	}
	for target := range used.units {
		for _, record := range catalog.units[target].records {
			wanted[node{kind: kindImage, ns: n.ns, key: record.Name}] = true
		}
	}
}

// usersOf lists who uses a record or its image.
func (m *model) usersOf(n node) []string {
	ns := m.collector.inv.Namespace(n.ns)
	used := m.view(ns).usage
	var targets []digest.Digest
	for _, image := range ns.Images {
		if image.Name == n.key {
			targets = append(targets, image.Target.Digest)
		}
	}
	return used.users(n.key, targets)
}
