package prune

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// ties say on what the records of one namespace depend besides their own
// uses: a record with an expiry (containerd.io/gc.expire) lives on only while
// something refers to it or, by a back reference (containerd.io/gc.bref.*),
// while what it names lives. `ctr images import --index-name` makes such
// records. nil where no record depends on anything.
type ties struct {
	c     *collector
	ns    *Namespace
	ended map[node]bool
	// alive is what the collector keeps of the store as it is.
	alive reached
	// referred are the records that a root refers to which is no record, with
	// that root.
	referred map[string]node
	// forward lists where a node leads to, back references to records left out.
	forward func(nodeID) []nodeID
	// seen are the nodes of which it is known to which records they lead, and
	// climbed those of which it is known by which record they live.
	seen, climbed []bool
	// supports is what keeps each node alive: what never expires comes first,
	// and of that what is to stay anyway.
	supports reached
}

// newTies returns the ties of a namespace. Most stores have none, and then
// nothing is built.
// What the leases of run hold does not count, because they end with it.
func newTies(ns *Namespace, store StoreInfo, run string, now time.Time) *ties {
	if !ns.tied(parseVersion(store.Version)) {
		return nil
	}
	t := &ties{
		c:        newCollector(&Inventory{Store: store, Namespaces: []*Namespace{ns}}, now),
		ns:       ns,
		referred: make(map[string]node),
	}
	t.ended = t.c.gracesOf(run)
	for _, id := range append([]string{leases.RunID}, ns.Interrupted...) {
		t.ended[node{kind: kindLease, ns: ns.Name, key: id}] = true
	}
	t.forward = t.c.edges(change{unbound: true})
	t.seen, t.climbed = make([]bool, len(t.c.graph.nodes)), make([]bool, len(t.c.graph.nodes))
	t.alive = t.c.reach(change{ignored: t.ended})
	t.refer()
	return t
}

// tied says whether a record of the namespace may expire, or anything may
// refer to one.
func (ns *Namespace) tied(v release) bool {
	if !v.atLeast(imagesAreNodes) {
		return false
	}
	any := func(labels map[string]string) bool {
		for key := range labels {
			if key == labelExpire || strings.HasPrefix(key, labelImageRef) {
				return true
			}
		}
		return false
	}
	for i := range ns.Images {
		if any(ns.Images[i].Labels) {
			return true
		}
	}
	for _, c := range ns.Containers {
		if any(c.Labels) {
			return true
		}
	}
	for _, s := range ns.Sandboxes {
		if any(s.Labels) {
			return true
		}
	}
	for _, blob := range ns.Blobs {
		if any(blob.Labels) {
			return true
		}
	}
	for _, s := range ns.Snapshots {
		if any(s.Labels) {
			return true
		}
	}
	return false
}

// refer finds the records that roots refer to which are no records.
func (t *ties) refer() {
	r := t.c.graph.mark(t.roots(), t.forward)
	for _, id := range r.order {
		t.seen[id] = true
		if n := t.c.graph.nodes[id]; n.kind == kindImage {
			t.referred[n.key] = t.c.graph.nodes[r.top[id]]
		}
	}
}

// roots lists what the collector starts from, without the records.
func (t *ties) roots() []node {
	roots := t.c.roots(change{ignored: t.ended})
	return slices.DeleteFunc(roots, func(n node) bool { return n.kind == kindImage })
}

// doomed says whether the next garbage collection removes the record,
// whatever becomes of all others: it has expired, and nothing leads to it.
func (t *ties) doomed(record *images.Image) bool {
	return t != nil && t.c.expired(record) && !t.alive.holds(imageNode(t.ns.Name, record.Name))
}

// support finds what keeps the records alive that may expire. What has no end
// is preferred, and of that what is to stay anyway: the less has to stay because
// of them.
func (t *ties) support(stays func(*images.Image) bool) {
	lasting, expiring := t.rootsByEnd()
	var staying, others []node
	for i := range t.ns.Images {
		record := &t.ns.Images[i]
		switch n := imageNode(t.ns.Name, record.Name); {
		case t.c.expired(record):
		case expires(record):
			expiring = append(expiring, n)
		case stays(record):
			staying = append(staying, n)
		default:
			others = append(others, n)
		}
	}
	t.supports = t.c.graph.newReached()
	for _, roots := range [][]node{lasting, staying, others, expiring} {
		t.supports.extend(roots, t.c.next.of)
	}
}

// rootsByEnd separates the roots that end by themselves, leases with an expiry
// and uploads, from the others.
func (t *ties) rootsByEnd() (lasting, ending []node) {
	leased := t.c.spaces[t.ns.Name].leases
	for _, n := range t.roots() {
		_, expires := leases.Expiry(leased[n.key].Lease)
		if n.kind == kindIngest || n.kind == kindLease && expires {
			ending = append(ending, n)
		} else {
			lasting = append(lasting, n)
		}
	}
	return lasting, ending
}

// livesBy returns the nearest record without which a record would not be alive,
// if there is one that was not returned before.
func (t *ties) livesBy(record node) (name string, ok bool) {
	id, ok := t.supports.find(record)
	if !ok {
		return "", false
	}
	for from := t.supports.from[id]; from != id && !t.climbed[id]; id, from = from, t.supports.from[from] {
		t.climbed[id] = true
		// The collector goes on by way of a name that no record has.
		if n := t.c.graph.nodes[from]; n.kind == kindImage && t.c.spaces[n.ns].records[n.key] != nil {
			return n.key, true
		}
	}
	return "", false
}

// refersTo returns the records to which an object leads. What was found before
// from another is not returned again.
func (t *ties) refersTo(n node) (names []string) {
	id := t.c.graph.lookup(n)
	if id == nowhere || t.seen[id] {
		return nil
	}
	t.seen[id] = true
	for gray := []nodeID{id}; len(gray) > 0; {
		next := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, to := range t.forward(next) {
			if t.seen[to] {
				continue
			}
			t.seen[to] = true
			gray = append(gray, to)
			if n := t.c.graph.nodes[to]; n.kind == kindImage {
				names = append(names, n.key)
			}
		}
	}
	return names
}

func imageNode(ns, name string) node { return node{kind: kindImage, ns: ns, key: name} }

// expires says whether a record has an expiry that a collector of containerd
// 2.0 and later heeds, be it past or to come.
func expires(record *images.Image) bool { return isExpiry(record.Labels[labelExpire]) }

func isExpiry(value string) bool {
	_, err := time.Parse(time.RFC3339, value)
	return err == nil
}

// rootLabel is the label by which a record is kept though the collector does
// not look for it there, "" if it has none.
func rootLabel(record *images.Image) string {
	for _, key := range slices.Sorted(maps.Keys(record.Labels)) {
		if strings.HasPrefix(key, labelRoot) {
			return key
		}
	}
	return ""
}

// tied is an object that stays, and the name of its record.
type tied struct {
	node
	name string
}

func contentNode(ns string, dgst digest.Digest) node {
	return node{kind: kindContent, ns: ns, key: dgst.String()}
}

// keepTied keeps the records that an object which stays depends on, as far as
// they were not looked at before.
func (f *following) keepTied(n tied) {
	t := f.j.ties
	if t == nil {
		return
	}
	if n.kind == kindImage {
		if name, ok := t.livesBy(n.node); ok {
			f.keepRecord(name, because(codeKeepsAlive, parts{Image: n.name}))
		}
	}
	for _, name := range t.refersTo(n.node) {
		f.keepRecord(name, because(codeReferredByKept, parts{Image: n.name}))
	}
}
