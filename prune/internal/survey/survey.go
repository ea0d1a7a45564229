package survey

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Survey is a store as it was read. It never changes; its methods may be called at
// the same time.
type Survey struct {
	// Usage is what the store holds. Everywhere else an image is its place in
	// Usage.Images.
	Usage *df.DiskUsage

	// all is the plan that removes whatever may go.
	all *plan.Plan
	c   *gc.Collector
	// after is what a collection leaves then.
	after  graph.Reached
	spaces map[string]*rules.Bunches
	// bunches are what goes together, bunchOf the place of that of each image, or
	// none, and images the images of each.
	bunches []*rules.Bunch
	bunchOf []int
	images  [][]int
	place   map[*rules.Bunch]int
	// followers are the bunches that are about others.
	followers []int
	objects   *objects
	roots     []root
	// bunchAt is the bunch with which each node goes that is a record, or none.
	bunchAt []int32
	// history are the leases of build history.
	history []graph.NodeID
	// parts are the objects of each image.
	parts parts
}

// none is the place of what is not there.
const none = -1

// Read reads the store, measures everything, and surveys the namespaces of the policy;
// its filters do not matter. The error may be a *[rules.PolicyError].
func Read(ctx context.Context, store store.Store, policy rules.Policy, now time.Time, opts read.ReadOptions) (*Survey, error) {
	policy.Filters, policy.Retention, policy.Pressure = filters.Everything(), nil, nil
	inv, err := read.Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	p, m, err := flow.PlanMeanwhile(ctx, store, inv, policy, now, opts, nil)
	if err != nil {
		return nil, err
	}
	return New(p, m), nil
}

// New surveys the store of a plan that removes whatever may go, and whose inventory
// has all sizes.
func New(p *plan.Plan, m *plan.Model) *Survey {
	usage := make(chan *df.DiskUsage, 1)
	go func() { usage <- df.PlanUsage(p, m, false) }() // as much work as all the rest
	s := &Survey{
		all: p, c: m.Collector, after: m.After,
		spaces: make(map[string]*rules.Bunches), place: make(map[*rules.Bunch]int),
	}
	if p.Blocked == nil {
		for _, ns := range p.Chosen {
			s.gather(ns.Name, m)
		}
	}
	s.objects = s.newObjects()
	s.roots, s.history = s.listRoots()
	s.objects.reached(s.reach(nil, nil))
	s.Usage = <-usage
	s.assign()
	s.parts = s.takeApart()
	return s
}

// gather finds what goes together in a namespace.
func (s *Survey) gather(namespace string, m *plan.Model) {
	ns := s.all.Inventory.Namespace(namespace)
	_, bunches := rules.DecideInBunches(m.View(ns), s.all.Policy, s.all.Inventory.Store, s.all.Now)
	s.spaces[namespace] = bunches
	for _, bunch := range bunches.All {
		if bunch.Subject != nil {
			s.followers = append(s.followers, len(s.bunches))
		}
		s.place[bunch] = len(s.bunches)
		s.bunches = append(s.bunches, bunch)
	}
}

// assign finds the bunch of each image.
func (s *Survey) assign() {
	s.bunchOf = make([]int, len(s.Usage.Images))
	s.images = make([][]int, len(s.bunches))
	for i := range s.Usage.Images {
		image := &s.Usage.Images[i]
		s.bunchOf[i] = none
		space := s.spaces[image.Namespace]
		if space == nil {
			continue
		}
		if bunch := space.Of(image.Target); bunch != nil {
			at := s.place[bunch]
			s.bunchOf[i] = at
			s.images[at] = append(s.images[at], i)
		}
	}
}
