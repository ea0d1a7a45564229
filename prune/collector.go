package prune

import (
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// collector models containerd's garbage collector over an inventory: the same
// roots, the same edges, as of one version and one moment. It is deterministic,
// so that of several holders of an object always the same one is named.
type collector struct {
	inv     *Inventory
	version release
	now     time.Time
	spaces  map[string]*space
	order   []*space
	graph   *graph
	labels  labelIndex
	next    edgeList
	// homes are the namespaces that know a blob, in order.
	homes map[digest.Digest][]*space
	// awaited are the uploads that expect a blob, in order.
	awaited map[digest.Digest][]node
}

// space is a namespace with its objects by name.
type space struct {
	*Namespace
	records    map[string]*images.Image
	containers map[string]containers.Container
	leases     map[string]Lease
	ingests    map[string]digest.Digest
	docker     bool
}

// change is how a store differs from its inventory; the zero value is no
// difference.
type change struct {
	// removed are image records, containers and sandboxes that are gone.
	removed map[node]bool
	// standIns are image records that were added, with their targets.
	standIns map[node]digest.Digest
	// ignored are leases and uploads that count as gone.
	ignored map[node]bool
	// unleased are configs without their snapshot labels.
	unleased map[node]bool
	// unbound leaves out that a record lives by what its back references name.
	unbound bool
}

func newCollector(inv *Inventory, now time.Time) *collector {
	c := &collector{
		inv:     inv,
		version: parseVersion(inv.Store.Version),
		now:     now,
		spaces:  make(map[string]*space, len(inv.Namespaces)),
		awaited: make(map[digest.Digest][]node),
	}
	for _, ns := range inv.Namespaces {
		s := newSpace(ns)
		c.spaces[ns.Name] = s
		c.order = append(c.order, s)
		c.await(s)
	}
	c.homes = c.house()
	c.graph = newGraph(c.size())
	c.labels = c.indexLabels()
	c.next = c.connect()
	return c
}

// size estimates how many nodes there will be.
func (c *collector) size() int {
	n := 0
	for _, s := range c.order {
		n += len(s.Blobs) + len(s.Snapshots) + len(s.Images) + len(s.Containers) + len(s.Sandboxes) + len(s.Leases) + len(s.Ingests)
	}
	return n
}

// exists says whether a snapshot is in the store.
func (c *collector) exists(id SnapshotID) bool {
	s := c.spaces[id.Namespace]
	if s == nil {
		return false
	}
	_, known := s.Snapshots[id.SnapshotKey]
	return known
}

// allSnapshots lists the snapshots of the store.
func (c *collector) allSnapshots() []SnapshotID { return c.inv.objects().sortedSnapshots() }

// house finds the homes of all blobs. Most have one, a part of the order.
func (c *collector) house() map[digest.Digest][]*space {
	most := 0
	for _, s := range c.order {
		most = max(most, len(s.Blobs))
	}
	homes := make(map[digest.Digest][]*space, most)
	for i, s := range c.order {
		for dgst := range s.Blobs {
			if others, known := homes[dgst]; known {
				homes[dgst] = append(others, s)
			} else {
				homes[dgst] = c.order[i : i+1 : i+1]
			}
		}
	}
	return homes
}

func newSpace(ns *Namespace) *space {
	s := &space{
		Namespace:  ns,
		records:    make(map[string]*images.Image, len(ns.Images)),
		containers: make(map[string]containers.Container, len(ns.Containers)),
		leases:     make(map[string]Lease, len(ns.Leases)),
		ingests:    make(map[string]digest.Digest, len(ns.Ingests)),
		docker:     ns.Docker(),
	}
	for i := range ns.Images {
		s.records[ns.Images[i].Name] = &ns.Images[i]
	}
	for _, container := range ns.Containers {
		s.containers[container.ID] = container
	}
	for _, lease := range ns.Leases {
		s.leases[lease.ID] = lease
	}
	for _, ingest := range ns.Ingests {
		s.ingests[ingest.Ref] = ingest.Expected
	}
	return s
}

// reach marks everything that the collector would keep after the change.
func (c *collector) reach(ch change) reached {
	return c.mark(c.roots(ch), ch)
}

// mark marks everything that the roots lead to after the change.
func (c *collector) mark(roots []node, ch change) reached {
	return c.graph.mark(roots, c.edges(ch))
}

// walk visits what single nodes lead to.
func (c *collector) walk() *walk { return newWalk(c.graph, c.next.of) }

// roots lists what the collector starts from. Images come first: of several
// holders of an object they are the ones that a person knows.
func (c *collector) roots(ch change) []node {
	roots := c.imageRoots(ch)
	for _, s := range c.order {
		for _, container := range s.Containers {
			if n := (node{kind: kindContainer, ns: s.Name, key: container.ID}); !ch.removed[n] {
				roots = append(roots, n)
			}
		}
		for _, sandbox := range s.Sandboxes {
			if n := (node{kind: kindSandbox, ns: s.Name, key: sandbox.ID}); !ch.removed[n] {
				roots = append(roots, n)
			}
		}
		roots = append(roots, c.leaseRoots(s, ch)...)
		for _, ingest := range s.Ingests {
			n := node{kind: kindIngest, ns: s.Name, key: ingest.Ref}
			if !ch.ignored[n] && !c.now.After(ingest.StartedAt.Add(ingestExpiry)) {
				roots = append(roots, n)
			}
		}
	}
	return append(roots, c.labels.roots...)
}

func (c *collector) imageRoots(ch change) []node {
	var roots []node
	for _, s := range c.order {
		for i := range s.Images {
			n := node{kind: kindImage, ns: s.Name, key: s.Images[i].Name}
			if !ch.removed[n] && !c.expired(&s.Images[i]) {
				roots = append(roots, n)
			}
		}
	}
	for n := range ch.standIns {
		roots = append(roots, n)
	}
	slices.SortFunc(roots, compareNodes) // as the records will be listed
	return roots
}

func (c *collector) leaseRoots(s *space, ch change) []node {
	var roots []node
	for _, lease := range s.Leases {
		n := node{kind: kindLease, ns: s.Name, key: lease.ID}
		if !ch.ignored[n] && c.live(lease) {
			roots = append(roots, n)
		}
	}
	return roots
}

// live says whether the collector honours the lease.
func (c *collector) live(lease Lease) bool {
	at, expires := leases.Expiry(lease.Lease)
	return !expires || !c.now.After(at)
}

// expired says whether the collector may remove the record itself.
func (c *collector) expired(image *images.Image) bool { return expired(image, c.version, c.now) }

func expired(image *images.Image, v release, now time.Time) bool {
	if !v.atLeast(imagesAreNodes) {
		return false
	}
	at, err := time.Parse(time.RFC3339, image.Labels[labelExpire])
	return err == nil && now.After(at)
}
