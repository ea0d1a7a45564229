package gc

import (
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Collector models containerd's garbage collector over an inventory: the same
// roots, the same edges, as of one version and one moment. It is deterministic,
// so that of several holders of an object always the same one is named.
type Collector struct {
	Inv     *inventory.Inventory
	Version Release
	Now     time.Time
	Spaces  map[string]*Space
	Order   []*Space
	Graph   *graph.Graph
	labels  labelIndex
	Next    edgeList
	homes   homes
	// Awaited are the uploads that expect a blob, in order.
	Awaited map[digest.Digest][]graph.Node
}

// Space is a namespace with its objects by name.
type Space struct {
	*inventory.Namespace
	Records       map[string]*images.Image
	ContainerByID map[string]containers.Container
	LeaseByID     map[string]inventory.Lease
	IngestByRef   map[string]digest.Digest
	docker        bool
}

// Change is how a store differs from its inventory; the zero value is no
// difference.
type Change struct {
	// Removed are image records, containers and sandboxes that are gone.
	Removed map[graph.Node]bool
	// StandIns are image records that were added, with their targets.
	StandIns map[graph.Node]digest.Digest
	// Ignored are leases and uploads that count as gone.
	Ignored map[graph.Node]bool
	// Unleased are configs without their snapshot labels.
	Unleased map[graph.Node]bool
	// Unbound leaves out that a record lives by what its back references name.
	Unbound bool
}

// NewCollector is the collector of an inventory, as of a time.
func NewCollector(inv *inventory.Inventory, now time.Time) *Collector {
	c := &Collector{
		Inv:     inv,
		Version: ParseVersion(inv.Store.Version),
		Now:     now,
		Spaces:  make(map[string]*Space, len(inv.Namespaces)),
		Awaited: make(map[digest.Digest][]graph.Node),
	}
	for _, ns := range inv.Namespaces {
		s := newSpace(ns)
		c.Spaces[ns.Name] = s
		c.Order = append(c.Order, s)
		c.await(s)
	}
	c.homes = housed(c.Order)
	c.Graph = graph.NewGraph(c.size())
	c.labels = c.indexLabels()
	c.Next = c.connect()
	return c
}

// size estimates how many nodes there will be.
func (c *Collector) size() int {
	n := 0
	for _, s := range c.Order {
		n += len(s.Blobs) + len(s.Snapshots) + len(s.Images) + len(s.Containers) + len(s.Sandboxes) + len(s.Leases) + len(s.Ingests)
	}
	return n
}

// Exists says whether a snapshot is in the store.
func (c *Collector) Exists(id inventory.SnapshotID) bool {
	s := c.Spaces[id.Namespace]
	if s == nil {
		return false
	}
	_, known := s.Snapshots[id.SnapshotKey]
	return known
}

// AllSnapshots lists the snapshots of the store.
func (c *Collector) AllSnapshots() []inventory.SnapshotID { return c.Inv.SortedSnapshots() }

func newSpace(ns *inventory.Namespace) *Space {
	s := &Space{
		Namespace:     ns,
		Records:       make(map[string]*images.Image, len(ns.Images)),
		ContainerByID: make(map[string]containers.Container, len(ns.Containers)),
		LeaseByID:     make(map[string]inventory.Lease, len(ns.Leases)),
		IngestByRef:   make(map[string]digest.Digest, len(ns.Ingests)),
		docker:        ns.Docker(),
	}
	for i := range ns.Images {
		s.Records[ns.Images[i].Name] = &ns.Images[i]
	}
	for _, container := range ns.Containers {
		s.ContainerByID[container.ID] = container
	}
	for _, lease := range ns.Leases {
		s.LeaseByID[lease.ID] = lease
	}
	for _, ingest := range ns.Ingests {
		s.IngestByRef[ingest.Ref] = ingest.Expected
	}
	return s
}

// Reach marks everything that the collector would keep after the change.
func (c *Collector) Reach(ch Change) graph.Reached {
	return c.Mark(c.Roots(ch), ch)
}

// Mark marks everything that the roots lead to after the change.
func (c *Collector) Mark(roots []graph.Node, ch Change) graph.Reached {
	return c.Graph.Mark(roots, c.Edges(ch))
}

// Walk visits what single nodes lead to.
func (c *Collector) Walk() *graph.Walk { return graph.NewWalk(c.Graph, c.Next.Of) }

// Roots lists what the collector starts from. Images come first: of several
// holders of an object they are the ones that a person knows.
func (c *Collector) Roots(ch Change) []graph.Node {
	roots := c.ImageRoots(ch)
	for _, s := range c.Order {
		for _, container := range s.Containers {
			if n := (graph.Node{Kind: graph.KindContainer, Namespace: s.Name, Key: container.ID}); !ch.Removed[n] {
				roots = append(roots, n)
			}
		}
		for _, sandbox := range s.Sandboxes {
			if n := (graph.Node{Kind: graph.KindSandbox, Namespace: s.Name, Key: sandbox.ID}); !ch.Removed[n] {
				roots = append(roots, n)
			}
		}
		roots = append(roots, c.leaseRoots(s, ch)...)
		for _, ingest := range s.Ingests {
			n := graph.Node{Kind: graph.KindIngest, Namespace: s.Name, Key: ingest.Ref}
			if !ch.Ignored[n] && !c.Now.After(ingest.StartedAt.Add(IngestExpiry)) {
				roots = append(roots, n)
			}
		}
	}
	return append(roots, c.labels.roots...)
}

// ImageRoots are the image records that live by themselves after a change.
func (c *Collector) ImageRoots(ch Change) []graph.Node {
	var roots []graph.Node
	for _, s := range c.Order {
		for i := range s.Images {
			n := graph.Node{Kind: graph.KindImage, Namespace: s.Name, Key: s.Images[i].Name}
			if !ch.Removed[n] && !c.Expired(&s.Images[i]) {
				roots = append(roots, n)
			}
		}
	}
	for n := range ch.StandIns {
		roots = append(roots, n)
	}
	slices.SortFunc(roots, CompareNodes) // as the records will be listed
	return roots
}

func (c *Collector) leaseRoots(s *Space, ch Change) []graph.Node {
	var roots []graph.Node
	for _, lease := range s.Leases {
		n := graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID}
		if !ch.Ignored[n] && c.Live(lease) {
			roots = append(roots, n)
		}
	}
	return roots
}

// Live says whether the collector honours the lease.
func (c *Collector) Live(lease inventory.Lease) bool {
	at, expires := leases.Expiry(lease.Lease)
	return !expires || !c.Now.After(at)
}

// Expired says whether the collector may remove the record itself.
func (c *Collector) Expired(image *images.Image) bool { return expired(image, c.Version, c.Now) }

func expired(image *images.Image, v Release, now time.Time) bool {
	if !v.AtLeast(ImagesAreNodes) {
		return false
	}
	at, err := time.Parse(time.RFC3339, image.Labels[LabelExpire])
	return err == nil && now.After(at)
}

// GracesOf lists the grace leases of a run.
func (c *Collector) GracesOf(run string) map[graph.Node]bool {
	graces := make(map[graph.Node]bool)
	for _, s := range c.Order {
		for _, lease := range s.Leases {
			if r, ok := leases.GraceOf(lease.Lease); ok && r == run {
				graces[graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID}] = true
			}
		}
	}
	return graces
}

// AnyExpired says whether there is a lease that a collection would take.
func (c *Collector) AnyExpired() bool {
	return slices.ContainsFunc(c.Order, func(s *Space) bool {
		return slices.ContainsFunc(s.Leases, func(lease inventory.Lease) bool { return !c.Live(lease) })
	})
}

// IsExpiry says whether the collector reads the value of a label as a time.
func IsExpiry(value string) bool {
	_, err := time.Parse(time.RFC3339, value)
	return err == nil
}

// Expires says whether a record has an expiry that a collector of containerd
// 2.0 and later heeds, be it past or to come.
func Expires(record *images.Image) bool { return IsExpiry(record.Labels[LabelExpire]) }
