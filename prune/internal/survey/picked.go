package survey

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Picked is what becomes of images that somebody picks.
type Picked struct {
	// Goes are the images of which names are removed, those that go with the picked
	// ones among them, in order.
	Goes []int
	// Stays are the picked images of which a name stays, in order.
	Stays []Staying
	// Records is how many names are removed.
	Records int
	// Frees is what the collection at the end of the run frees because of that.
	Frees inventory.Amount
	// Held is what stays of the images that go, by who holds it, the most first.
	Held []Holding
}

// Staying is a picked image that is not removed, or not under all of its names.
type Staying struct {
	Image int
	cause.Cause
	// Needs is an image that has to be picked as well, or -1.
	Needs int
}

// Holding is what somebody holds.
type Holding struct {
	cause.Keeper
	inventory.Amount
}

// Pick says what becomes of images that are picked. It is what a plan by [Survey.Policy]
// says, without making one.
func (s *Survey) Pick(images []int) Picked {
	gone, stays := s.choose(images)
	if s.tied(gone) {
		return s.decided(gone, stays)
	}
	p := Picked{Stays: stays}
	for at, goes := range gone {
		if goes {
			p.Records += len(s.bunches[at].Going)
			p.Goes = append(p.Goes, s.images[at]...)
		}
	}
	slices.Sort(p.Goes)
	touched := s.touch(gone)
	after := s.reach(gone, touched)
	for i := range s.objects.list {
		if o := &s.objects.list[i]; o.alive && s.objects.holder(o, after) == graph.Nowhere {
			o.add(&p.Frees)
		}
	}
	p.Held = s.held(touched, after)
	return p
}

// Policy is the policy that removes what goes of the picked images and nothing else.
func (s *Survey) Policy(images []int) rules.Policy {
	gone, _ := s.choose(images)
	return s.policyOf(gone)
}

func (s *Survey) policyOf(gone []bool) rules.Policy {
	var going []rules.Decision
	for at, goes := range gone {
		if goes {
			going = append(going, s.bunches[at].Going...)
		}
	}
	return rules.Picked(s.all.Inventory.Store.ID, s.all.Policy, going).Policy()
}

// choose finds the bunches that go when images are picked: theirs, if whatever keeps
// these goes as well, and what is only about them.
func (s *Survey) choose(images []int) (gone []bool, stays []Staying) {
	gone = make([]bool, len(s.bunches))
	for _, i := range images {
		if at := s.bunchOf[i]; at != none {
			gone[at] = true
		}
	}
	needs := s.missing(gone)
	for at := range needs {
		gone[at] = false
	}
	for _, at := range s.followers {
		if _, lacks := needs[at]; !lacks && !gone[at] {
			gone[at] = s.follows(at, gone)
		}
	}
	for _, i := range slices.Sorted(slices.Values(images)) {
		at := s.bunchOf[i]
		switch needed, lacks := needs[at]; {
		case lacks:
			stays = append(stays, Staying{Image: i, Cause: cause.Because(cause.CodePartOf, cause.Parts{Image: s.Usage.Images[needed].Names[0]}), Needs: needed})
		case at == none || !s.Usage.Images[i].Unused:
			stays = append(stays, Staying{Image: i, Cause: s.Usage.Images[i].Cause, Needs: none})
		}
	}
	return gone, stays
}

// missing finds the bunches that cannot go, because another keeps them that is not
// among them, with an image of that.
func (s *Survey) missing(gone []bool) map[int]int {
	needs := make(map[int]int)
	for at, goes := range gone {
		if !goes {
			continue
		}
		for _, above := range s.above(at) {
			if !gone[above] {
				needs[at] = s.images[above][0]
				break
			}
		}
	}
	return needs
}

// follows says whether a bunch is about nothing else than what goes.
func (s *Survey) follows(at int, gone []bool) bool {
	above := s.above(at)
	return len(above) > 0 && !slices.ContainsFunc(above, func(above int) bool { return !gone[above] })
}

func (s *Survey) above(at int) []int {
	bunch := s.bunches[at]
	all := s.spaces[bunch.Namespace].Above(bunch)
	places := make([]int, len(all))
	for i, above := range all {
		places[i] = s.place[above]
	}
	return places
}

// held sums up what is kept of what goes, by who keeps it.
func (s *Survey) held(touched, after reach) []Holding {
	sums := make(map[graph.NodeID]*inventory.Amount)
	seen := make([]bool, len(s.objects.list))
	for id := range touched {
		at := s.objects.of[id]
		if touched[id] == graph.Nowhere || at == none || seen[at] {
			continue
		}
		seen[at] = true
		o := &s.objects.list[at]
		holder := s.objects.holder(o, after)
		if holder == graph.Nowhere {
			continue
		}
		if sums[holder] == nil {
			sums[holder] = &inventory.Amount{}
		}
		o.add(sums[holder])
	}
	held := make([]Holding, 0, len(sums))
	for id, sum := range sums {
		n := s.c.Graph.Nodes[id]
		held = append(held, Holding{s.c.Keeper(n).In(n.Namespace), *sum})
	}
	return sorted(held)
}

func sorted(held []Holding) []Holding {
	slices.SortFunc(held, func(a, b Holding) int {
		return cmp.Or(cmp.Compare(b.TotalBytes, a.TotalBytes), cmp.Compare(a.Holder, b.Holder))
	})
	return held
}

// tied says whether what goes together is only known when it is decided anew.
func (s *Survey) tied(gone []bool) bool {
	for ns := range s.namespacesOf(gone) {
		if s.spaces[ns].Tied() {
			return true
		}
	}
	return false
}

// decided is [Survey.Pick] by a plan, for stores in which records live only as long as
// others do.
func (s *Survey) decided(gone []bool, stays []Staying) Picked {
	p := Picked{Stays: stays}
	made, err := plan.NewPlan(s.all.Inventory, s.policyOf(gone), s.all.Now)
	if err != nil {
		return p // it is the store that the policy is for, so there is none
	}
	at := make(map[plan.ImageKey]int)
	for i := range s.Usage.Images {
		at[plan.ImageKey{Namespace: s.Usage.Images[i].Namespace, Target: s.Usage.Images[i].Target}] = i
	}
	for _, d := range made.Decisions {
		image := at[plan.ImageKey{Namespace: d.Namespace, Target: d.Target.Digest}]
		switch {
		case d.Gone():
			p.Records++
			p.Goes = append(p.Goes, image)
		case made.Policy.Selection.Has(d):
			p.Stays = append(p.Stays, Staying{Image: image, Cause: d.Cause, Needs: none})
		}
	}
	slices.Sort(p.Goes)
	p.Goes = slices.Compact(p.Goes)
	p.Frees = made.Predicted()
	p.Held = heldOf(made)
	return p
}

// heldOf sums up what a plan says is held, a blob that several namespaces know once.
func heldOf(p *plan.Plan) []Holding {
	sums := make(map[string]*Holding)
	seen := make(map[digest.Digest]bool)
	for _, held := range p.Held() {
		if _, lost := p.Inventory.Lost[held.Digest]; lost || held.Digest != "" && seen[held.Digest] {
			continue
		}
		seen[held.Digest] = true
		if sums[held.Holder] == nil {
			sums[held.Holder] = &Holding{Keeper: held.Keeper}
		}
		if held.Snapshot != "" {
			sums[held.Holder].AddSnapshot(held.Bytes)
		} else {
			sums[held.Holder].AddBlob(held.Bytes)
		}
	}
	var all []Holding
	for _, h := range sums {
		all = append(all, *h)
	}
	return sorted(all)
}
