package races

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// pace says how long a race is, how long each leg of it, and how far apart the
// outages are in a leg.
type pace struct{ all, leg, outage time.Duration }

// pace is one short leg, or as many as SOAK has room for.
func (r *race) pace() pace {
	r.t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return pace{leg: 8 * time.Second, outage: 5 * time.Second}
	}
	all, err := time.ParseDuration(text)
	if err != nil {
		r.t.Fatalf("SOAK: %v", err)
	}
	return pace{all: all, leg: min(all, 45*time.Second), outage: 15 * time.Second}
}

// grace is how much longer a leg goes on for actors that have done nothing
// yet, on a machine with other things to do.
const grace = 2 * time.Minute

// run lets the actors loose, leg by leg, with a verdict after each.
func (r *race) run(actors map[string]actor) {
	r.t.Helper()
	p := r.pace()
	for start, more := time.Now(), true; more; more = !r.t.Failed() && time.Since(start) < p.all {
		r.work()
		r.leg(p, actors)
		r.rest()
		r.verdict()
	}
	r.tally.report(r.t, slices.Sorted(maps.Keys(actors)))
}

// leg goes on until its time is over and each actor has done something, with
// outages under them. In the end containerd is killed once more: what that leaves
// is what is judged.
func (r *race) leg(p pace, actors map[string]actor) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	r.rounds.start()
	var all sync.WaitGroup
	for name, do := range actors {
		all.Go(func() {
			for ctx.Err() == nil {
				r.tally.try(ctx, name, do)
			}
		})
	}
	start := time.Now()
	outages, look := time.NewTicker(p.outage), time.NewTicker(p.leg/20)
	defer outages.Stop()
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-outages.C:
			if time.Since(start) < p.leg {
				r.disturb()
			}
		case <-look.C:
			took := time.Since(start)
			over = took > p.leg && (r.tally.everybody(actors) || took > p.leg+grace)
		}
	}
	r.kill()
	cancel()
	r.rounds.stop()
	all.Wait()
	if err := r.library.end(); err != nil {
		r.t.Errorf("the pruning process: %v", err)
	}
}

// disturb takes something away and brings it back: by turns it kills those that
// build, if there are any, restarts containerd in good order, and kills it.
func (r *race) disturb() {
	r.t.Helper()
	turns := []func(){r.killBuilders, r.restart, r.kill}
	if r.engine == nil {
		turns = turns[1:]
	}
	turns[r.turn%len(turns)]()
	r.turn++
}

// restart restarts containerd in good order.
func (r *race) restart() {
	r.t.Helper()
	r.tally.outage("restarts", &r.tally.daemon, func() { r.n.Restart(); r.n.Ready(); r.connect() })
}

// kill ends containerd with SIGKILL and starts it again.
func (r *race) kill() {
	r.t.Helper()
	r.tally.outage("kills", &r.tally.daemon, func() { r.n.Kill(); r.n.Up(); r.n.Ready(); r.connect() })
}
