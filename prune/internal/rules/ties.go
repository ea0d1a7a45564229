package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// ties say on what the records of one namespace depend besides their own
// uses: a record with an expiry (containerd.io/gc.expire) lives on only while
// something refers to it or, by a back reference (containerd.io/gc.bref.*),
// while what it names lives. `ctr images import --index-name` makes such
// records. nil where no record depends on anything.
type ties struct {
	c     *gc.Collector
	ns    *inventory.Namespace
	ended map[graph.Node]bool
	// alive is what the collector keeps of the store as it is.
	alive graph.Reached
	// referred are the records that a root refers to which is no record, with
	// that root.
	referred map[string]graph.Node
	// forward lists where a node leads to, back references to records left out.
	forward func(graph.NodeID) []graph.NodeID
	// seen are the nodes of which it is known to which records they lead.
	seen []bool
	// supports are what keeps each node alive: first by way of nothing but what is
	// to stay anyway, then by way of whatever there is.
	supports [2]support
}

// support is what keeps each node alive, and the nodes of which it is known by
// which record they live.
type support struct {
	graph.Reached
	climbed []bool
}

// newTies returns the ties of a namespace. Most stores have none, and then
// nothing is built.
// What the leases of run hold does not count, because they end with it.
func newTies(ns *inventory.Namespace, store store.StoreInfo, run string, now time.Time) *ties {
	if !hasTies(ns, gc.ParseVersion(store.Version)) {
		return nil
	}
	t := &ties{
		c:        gc.NewCollector(&inventory.Inventory{Store: store, Namespaces: []*inventory.Namespace{ns}}, now),
		ns:       ns,
		referred: make(map[string]graph.Node),
	}
	t.ended = t.c.GracesOf(run)
	for _, id := range append([]string{leases.RunID}, ns.Interrupted...) {
		t.ended[graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: id}] = true
	}
	t.forward = t.c.Edges(gc.Change{Unbound: true})
	t.seen = make([]bool, len(t.c.Graph.Nodes))
	t.alive = t.c.Reach(gc.Change{Ignored: t.ended})
	t.refer()
	return t
}

// tied says whether a record of the namespace may expire, or anything may
// refer to one.
func hasTies(ns *inventory.Namespace, v gc.Release) bool {
	if !v.AtLeast(gc.ImagesAreNodes) {
		return false
	}
	any := func(labels inventory.Labels) bool {
		return slices.ContainsFunc(labels, func(label inventory.Label) bool {
			return label.Key == gc.LabelExpire || strings.HasPrefix(label.Key, gc.LabelImageRef)
		})
	}
	for i := range ns.Images {
		if any(inventory.LabelsOf(ns.Images[i].Labels)) {
			return true
		}
	}
	for _, c := range ns.Containers {
		if any(inventory.LabelsOf(c.Labels)) {
			return true
		}
	}
	for _, s := range ns.Sandboxes {
		if any(inventory.LabelsOf(s.Labels)) {
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
	r := t.c.Graph.Mark(t.roots(), t.forward)
	for _, id := range r.Order {
		t.seen[id] = true
		if n := t.c.Graph.Nodes[id]; n.Kind == graph.KindImage {
			t.referred[n.Key] = t.c.Graph.Nodes[r.Top[id]]
		}
	}
}

// roots lists what the collector starts from, without the records.
func (t *ties) roots() []graph.Node {
	roots := t.c.Roots(gc.Change{Ignored: t.ended})
	return slices.DeleteFunc(roots, func(n graph.Node) bool { return n.Kind == graph.KindImage })
}

// doomed says whether the next garbage collection removes the record,
// whatever becomes of all others: it has expired, and nothing leads to it.
func (t *ties) doomed(record *images.Image) bool {
	return t != nil && t.c.Expired(record) && !t.alive.Holds(graph.ImageNode(t.ns.Name, record.Name))
}

// support finds what keeps the records alive that may expire. What is to stay
// anyway is preferred, on the whole way: then nothing more has to stay because of
// them, and a later decision, in which what this one keeps is to stay, agrees with
// it. Of the rest what has no end comes first.
func (t *ties) support(stays func(*images.Image) bool) {
	lasting, expiring := t.rootsByEnd()
	var staying, others []graph.Node
	going := make(map[graph.NodeID]bool)
	for i := range t.ns.Images {
		record := &t.ns.Images[i]
		n := graph.ImageNode(t.ns.Name, record.Name)
		if !stays(record) {
			going[t.c.Graph.Lookup(n)] = true
		}
		switch {
		case t.c.Expired(record):
		case gc.Expires(record):
			expiring = append(expiring, n)
		case stays(record):
			staying = append(staying, n)
		default:
			others = append(others, n)
		}
	}
	var buffer []graph.NodeID
	surely := func(id graph.NodeID) []graph.NodeID {
		buffer = append(buffer[:0], t.c.Next.Of(id)...)
		return slices.DeleteFunc(buffer, func(to graph.NodeID) bool { return going[to] })
	}
	t.supports[0] = t.supportBy(surely, lasting, staying)
	t.supports[1] = t.supportBy(t.c.Next.Of, lasting, staying, others, expiring)
}

// supportBy is what roots keep alive, those that come first preferred.
func (t *ties) supportBy(next func(graph.NodeID) []graph.NodeID, roots ...[]graph.Node) support {
	s := support{t.c.Graph.NewReached(), make([]bool, len(t.c.Graph.Nodes))}
	for _, some := range roots {
		s.Extend(some, next)
	}
	return s
}

// rootsByEnd separates the roots that end by themselves, leases with an expiry
// and uploads, from the others.
func (t *ties) rootsByEnd() (lasting, ending []graph.Node) {
	leased := t.c.Spaces[t.ns.Name].LeaseByID
	for _, n := range t.roots() {
		_, expires := leases.Expiry(leased[n.Key].Lease)
		if n.Kind == graph.KindIngest || n.Kind == graph.KindLease && expires {
			ending = append(ending, n)
		} else {
			lasting = append(lasting, n)
		}
	}
	return lasting, ending
}

// livesBy returns the nearest record without which a record would not be alive, or
// not whole, if there is one that was not returned before. A record that has no end
// lives by itself, whatever else leads to it. Of one that only a flat lease holds
// nothing but the target would stay.
func (t *ties) livesBy(record graph.Node) (name string, why cause.Code, ok bool) {
	r := t.c.Spaces[record.Namespace].Records[record.Key]
	if r == nil || !gc.Expires(r) {
		return "", "", false
	}
	for _, s := range t.supports {
		n, why := record, cause.CodeKeepsAlive
		if !s.Has(record) && s.Holds(record) {
			n, why = graph.ContentNode(record.Namespace, r.Target.Digest), cause.CodeKeepsWhole
		}
		if s.Has(n) {
			name, ok = t.above(s, n)
			return name, why, ok
		}
	}
	return "", "", false
}

// above returns the nearest record by way of which an object is supported.
func (t *ties) above(s support, n graph.Node) (name string, ok bool) {
	id, _ := s.Find(n)
	for from := s.From[id]; from != id && !s.climbed[id]; id, from = from, s.From[from] {
		s.climbed[id] = true
		// The collector goes on by way of a name that no record has.
		if n := t.c.Graph.Nodes[from]; n.Kind == graph.KindImage && t.c.Spaces[n.Namespace].Records[n.Key] != nil {
			return n.Key, true
		}
	}
	return "", false
}

// refersTo returns the records to which an object leads. What was found before
// from another is not returned again.
func (t *ties) refersTo(n graph.Node) (names []string) {
	id := t.c.Graph.Lookup(n)
	if id == graph.Nowhere || t.seen[id] {
		return nil
	}
	t.seen[id] = true
	for gray := []graph.NodeID{id}; len(gray) > 0; {
		next := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, to := range t.forward(next) {
			if t.seen[to] {
				continue
			}
			t.seen[to] = true
			gray = append(gray, to)
			if n := t.c.Graph.Nodes[to]; n.Kind == graph.KindImage {
				names = append(names, n.Key)
			}
		}
	}
	return names
}

// rootLabel is the label by which a record is kept though the collector does
// not look for it there, "" if it has none.
func rootLabel(record *images.Image) string {
	for _, key := range slices.Sorted(maps.Keys(record.Labels)) {
		if strings.HasPrefix(key, gc.LabelRoot) {
			return key
		}
	}
	return ""
}

// tied is an object that stays, and the name of its record.
type tied struct {
	graph.Node
	name string
}

// keepTied keeps the records that an object which stays depends on, as far as
// they were not looked at before.
func (f *Following) keepTied(n tied) {
	t := f.J.ties
	if t == nil {
		return
	}
	if n.Kind == graph.KindImage {
		if name, why, ok := t.livesBy(n.Node); ok {
			f.keepRecord(name, cause.Because(why, cause.Parts{Image: n.name}))
		}
	}
	for _, name := range t.refersTo(n.Node) {
		f.keepRecord(name, cause.Because(cause.CodeReferredByKept, cause.Parts{Image: n.name}))
	}
}
