package plan

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// ImageKey names an image: all records of a target in a namespace.
type ImageKey struct {
	Namespace string
	Target    digest.Digest
}

// Weight is what an image is and what it adds to what a plan frees. docs/sizes.md
// says what these sizes mean.
type Weight struct {
	// Name is the name under which it adds that: of those that go, the one that people
	// know best.
	Name string
	// SizeBytes is all that it consists of, each object once.
	SizeBytes int64
	// AtLeast says that SizeBytes is a lower bound: images refer to each other in more
	// ways than are followed, or a snapshot was not measured.
	AtLeast bool
	// FreesBytes is what is freed when the image goes after those before it.
	FreesBytes int64
}

// Weights are those of the images of a plan.
type Weights struct {
	Images map[ImageKey]Weight
	// Rest is freed and is of no image that goes: killed runs, graces that end and
	// uploads held it, by the namespace of the object.
	Rest map[string]int64
}

// RestBytes is all of the rest.
func (w *Weights) RestBytes() (sum int64) {
	if w == nil {
		return 0
	}
	for _, bytes := range w.Rest {
		sum = inventory.Saturate(sum, bytes)
	}
	return sum
}

// Of is the weight of an image.
func (w *Weights) Of(namespace string, target digest.Digest) Weight {
	if w == nil {
		return Weight{}
	}
	return w.Images[ImageKey{namespace, target}]
}

// Weigh returns the plan with the weights of its images, by a model with the sizes of
// snapshots.
func (p *Plan) Weigh(m *Model) *Plan {
	weighed := *p
	weighed.Weights = p.Adding(m)
	for key, size := range p.sizes(m.Collector) {
		w := weighed.Weights.Images[key]
		w.SizeBytes, w.AtLeast = size.SizeBytes, size.AtLeast
		weighed.Weights.Images[key] = w
	}
	return &weighed
}

// Adding is what the images add to what the plan frees. That and the rest add up to all
// that it frees.
func (p *Plan) Adding(m *Model) *Weights {
	weights := &Weights{Images: make(map[ImageKey]Weight), Rest: make(map[string]int64)}
	order := p.order()
	l := p.Leaving()
	for _, image := range order {
		l.Steps = append(l.Steps, image.roots)
	}
	frees := make([]int64, len(order)+1)
	places, home := m.Collector.Places(l), p.homes(m.Collector)
	count := func(at int32, namespace string, bytes int64) {
		if at == 0 || at == gc.Stays {
			weights.Rest[namespace] = inventory.Saturate(weights.Rest[namespace], bytes)
			return
		}
		frees[at] = inventory.Saturate(frees[at], bytes)
	}
	for dgst, bytes := range p.Outcome.Freed.Blobs {
		count(places.OfBlob(dgst), home(dgst), bytes)
	}
	for id, bytes := range p.Outcome.Freed.Snapshots {
		count(places.Of(id.Node()), id.Namespace, inventory.Known(bytes))
	}
	for i, image := range order {
		weights.Images[image.key] = Weight{Name: image.name, FreesBytes: frees[i+1]}
	}
	return weights
}

// homes are the namespaces of blobs, of several a chosen one.
func (p *Plan) homes(c *gc.Collector) func(digest.Digest) string {
	chosen := make(map[string]bool, len(p.Chosen))
	for _, ns := range p.Chosen {
		chosen[ns.Name] = true
	}
	return func(dgst digest.Digest) string {
		homes := c.Homes(dgst)
		for _, s := range homes {
			if chosen[s.Name] {
				return s.Name
			}
		}
		return homes[0].Name
	}
}

// going is an image of which records go.
type going struct {
	key   ImageKey
	name  string
	roots []graph.Node
	// place is where it is in the order.
	place     int
	collected bool
}

// order lists the images of which records go in the order in which they do: that of
// the decisions, or of what has to be freed. Those that any collection would take come
// first, so that what they share counts for others.
func (p *Plan) order() []*going {
	found := make(map[ImageKey]*going)
	var order []*going
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if !d.Gone() {
			continue
		}
		key := ImageKey{d.Namespace, d.Target.Digest}
		g := found[key]
		if g == nil {
			g = &going{key: key, name: d.Name, place: i, collected: true}
			if p.Relief != nil {
				g.place = p.Relief.Order[d.Key()]
			}
			found[key] = g
			order = append(order, g)
		}
		if rules.CompareNames(d.Name, g.name) < 0 {
			g.name = d.Name
		}
		g.collected = g.collected && d.Collected
		g.roots = append(g.roots, graph.ImageNode(d.Namespace, d.Name))
	}
	slices.SortStableFunc(order, func(a, b *going) int {
		return cmp.Or(first(b.collected)-first(a.collected), cmp.Compare(a.place, b.place))
	})
	return order
}

func first(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// sizes sums up what each image consists of.
func (p *Plan) sizes(c *gc.Collector) map[ImageKey]Weight {
	targets := p.targets(func(*rules.Decision) bool { return true })
	totals := c.Totals(c.Measured(), targets)
	weights := make(map[ImageKey]Weight, len(totals))
	for i, target := range targets {
		sum := totals[target]
		weights[ImageKey{target.Namespace, p.Decisions[i].Target.Digest}] = Weight{SizeBytes: sum.TotalBytes, AtLeast: sum.Bound || sum.AtLeast}
	}
	return weights
}
