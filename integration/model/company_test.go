package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// guests are the clients that may act in the time of a run.
var guests = []func(*machine, *prune.Plan) *guest{
	(*machine).guestPull, (*machine).guestPull, (*machine).guestTag, (*machine).guestTag, (*machine).guestUntag,
	(*machine).guestPin, (*machine).guestTie, (*machine).guestWait,
	(*machine).guestRun, (*machine).guestRun, (*machine).guestRun, (*machine).guestLease,
	(*machine).guestDrop, (*machine).guestCollect, (*machine).guestCollect, (*machine).guestRemove,
}

// company is a run and the clients that act in its time.
type company struct {
	*run
	guests []*guest
	// ask is for the goroutine of the test to do what is due, told is its
	// answer, and stop its end: only that goroutine may draw or fail.
	ask, told, stop chan struct{}
}

// pruneAmongClients is a run in whose time others act, at any of its calls.
func (m *machine) pruneAmongClients() bool {
	if m.killed != nil {
		return false // whose records those are that come back has its own steps
	}
	m.stock()
	policy := m.policy()
	if oneIn(m.t, 2, "all") {
		policy = everything()
	}
	policy.IngestAge = 0
	return m.amongClients(policy)
}

// applyAmongClients is the same by a plan that was written before.
func (m *machine) applyAmongClients() bool {
	if m.killed != nil {
		return false
	}
	m.stock()
	if !m.writePlan() {
		return false
	}
	return m.amongClients(pick(m.t, m.plans, "plan").selection(m).Policy())
}

// stock sees to it that there is something to remove, and to meddle with.
func (m *machine) stock() {
	for range 1 + uniform(m.t, 3, "stock") {
		pick(m.t, []func(*machine) bool{(*machine).pull, (*machine).pull, (*machine).pull, (*machine).build, (*machine).pullSignature, (*machine).run}, "of")(m)
	}
	m.rootAdded = false
}

func (m *machine) amongClients(policy prune.Policy) bool {
	draft := m.planOver(m.store, policy)
	if len(going(draft)) == 0 {
		return false
	}
	c := &company{}
	for range 1 + uniform(m.t, 4, "guests") {
		g := pick(m.t, guests, "guest")(m, draft)
		if g.name != waits || !slices.ContainsFunc(c.guests, func(other *guest) bool { return other.name == waits }) {
			c.guests = append(c.guests, g)
		}
	}
	c.beginEarly(m)
	c.run = m.newRunOf(policy, true)
	if len(going(c.plan)) == 0 {
		c.leave(m)
		return true
	}
	for _, g := range c.guests {
		g.wait(m, c.store.calls)
	}
	c.execute()
	c.judge()
	return true
}

// going lists what a plan removes.
func going(plan *prune.Plan) (list []prune.Decision) {
	for _, d := range plan.Decisions {
		if d.Action != prune.Keep {
			list = append(list, d)
		}
	}
	return list
}

// beginEarly lets some be in the midst of their work when the plan is made.
func (c *company) beginEarly(m *machine) {
	for _, g := range c.guests {
		if oneIn(m.t, 3, "early") {
			for range uniform(m.t, len(g.parts)+1, "parts") {
				if len(g.parts) > 0 {
					m.tally.add("clients acted before the plan", 1)
					g.do()
				}
			}
		}
	}
	time.Sleep(time.Millisecond)
}

// leave lets the guests end their work without a run.
func (c *company) leave(m *machine) {
	for _, g := range c.guests {
		for len(g.parts) > 0 {
			g.do()
		}
	}
	m.newcomers = nil
}

// wait chooses when the next part is due: soon, or at any other call of the
// run. A reading of the store takes so many calls.
func (g *guest) wait(m *machine, reading int) {
	g.landmark = pick(m.t, []string{"", "", itHolds, itHolds, itDeletes, itDeletes, apart, again, again, itReleases, itReleases, itFrees}, "when")
	g.calls = 1 + uniform(m.t, 20, "calls")
	g.hurried = oneIn(m.t, 3, "hurried")
	if oneIn(m.t, 2, "anywhere") {
		g.calls = 1 + uniform(m.t, 2*reading, "calls")
	}
}

// due says whether the next part is, at a call of the run.
func (g *guest) due(j *journal, call int) bool {
	begins, reached := j.first[g.landmark]
	return len(g.parts) > 0 && (reached || g.landmark == "") && call >= begins+g.calls
}

// execute does the plan among the guests, and lets them end their work.
func (c *company) execute() {
	m := c.m
	c.ask, c.told, c.stop = make(chan struct{}), make(chan struct{}), make(chan struct{})
	m.journal, m.seen = newJournal(), append(m.seen[:0], c.before)
	c.store.journal = m.journal
	m.journal.others = c.others
	ended := make(chan struct{})
	defer func() { <-ended }()
	defer close(c.stop)
	go func() {
		defer close(ended)
		c.run.execute(m.ctx, 0, nil)
	}()
	for running := true; running; {
		select {
		case <-c.ask:
			c.act(func(g *guest) bool { return g.due(m.journal, c.store.calls) }, "clients acted inside")
			c.told <- struct{}{}
		case <-ended:
			running = false
		}
	}
	for c.unfinished() {
		c.act(func(g *guest) bool { return len(g.parts) > 0 }, "clients acted after")
	}
}

func (c *company) unfinished() bool {
	for _, g := range c.guests {
		if len(g.parts) > 0 {
			return true
		}
	}
	return false
}

// others is called at each call of the run.
func (c *company) others(call int) {
	for _, g := range c.guests {
		if !g.due(c.m.journal, call) {
			continue
		}
		select {
		case c.ask <- struct{}{}:
		case <-c.stop:
			return
		}
		select {
		case <-c.told:
		case <-c.stop:
		}
		return
	}
}

// act does the parts that are due. Time passes, so that what is written again
// can be told from what was there.
func (c *company) act(due func(*guest) bool, counted string) {
	m := c.m
	for _, g := range c.guests {
		if !due(g) {
			continue
		}
		for more := true; more; more = len(g.parts) > 0 && g.hurried {
			time.Sleep(time.Millisecond)
			m.did = append(m.did, "  "+g.name)
			g.do()
			m.now(fmt.Sprintf("%s, %d parts left", g.name, len(g.parts)))
			m.tally.add(counted, 1)
			time.Sleep(time.Millisecond)
			c.look()
		}
		// The next part comes at once or later.
		if g.calls = c.store.calls - m.journal.first[g.landmark] + 1; !oneIn(m.t, 2, "at once") {
			g.calls += uniform(m.t, 60, "calls later")
		}
	}
}

// look captures the store and sees to it that what the run deletes is whole.
func (c *company) look() {
	m := c.m
	now := m.capture()
	m.seen = append(m.seen, now)
	c.deletedAreWhole(now)
}
