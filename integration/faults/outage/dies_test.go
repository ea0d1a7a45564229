package outage

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// blow is what happens to containerd.
type blow struct {
	name string
	// inject is called while the command waits at a call or, at a random
	// instant, runs.
	inject func(*bed)
}

var blows = []blow{
	{"killed", func(b *bed) { b.d.Kill() }},
	{"killed and started", func(b *bed) { b.d.Kill(); b.d.Up() }},
	{"restarted", func(b *bed) { b.d.Restart() }},
	{"stopped", func(b *bed) { b.d.Stop() }},
}

// Containerd dies at a call of the run or at any instant of it. The command
// ends by itself, and the next one leaves what an undisturbed one leaves.
func TestContainerdDies(t *testing.T) {
	const rounds = 6
	onDaemons(t, 6, func(b *bed) {
		calls := b.calls()
		lasts := b.lasts()
		random := rand.New(rand.NewPCG(1, 2))
		until := time.Now().Add(b.soak())
		done, lost := 0, 0
		for ; done < rounds || time.Now().Before(until); done++ {
			hit := blows[done%len(blows)]
			if done%3 == 2 {
				lost += b.diesAtAnInstant(hit, time.Duration(random.Int64N(int64(lasts))))
				continue
			}
			at := calls[random.IntN(len(calls))]
			at.Answered = random.IntN(2) == 1
			lost += b.diesAt(hit, at)
		}
		b.t.Logf("containerd died in %d runs of %d calls and about %v; %d blobs were forgotten, found and removed", done, len(calls), lasts, lost)
	})
}

// lasts is how long an undisturbed run is under way.
func (b *bed) lasts() time.Duration {
	b.t.Helper()
	start := time.Now()
	b.run()
	took := time.Since(start)
	b.fill()
	return took
}

// diesAt acts at a call.
func (b *bed) diesAt(hit blow, at spot) int {
	b.t.Helper()
	what := fmt.Sprintf("%s at call %d of %s, answered %v", hit.name, at.Nth, at.Method, at.Answered)
	h := b.halt(at)
	hit.inject(b)
	return b.afterwards(what, h.end(), h.Stderr())
}

// diesAtAnInstant acts a while after the command was started, with nothing
// between it and containerd.
func (b *bed) diesAtAnInstant(hit blow, after time.Duration) int {
	b.t.Helper()
	what := fmt.Sprintf("%s after %v", hit.name, after)
	r := b.start(b.d.Address())
	select {
	case <-r.Ended():
	case <-time.After(after):
	}
	hit.inject(b)
	code, _ := r.End()
	return b.afterwards(what, code, r.Stderr())
}

// afterwards starts containerd again and judges.
func (b *bed) afterwards(what string, code int, stderr string) int {
	b.t.Helper()
	b.d.Up()
	switch {
	case code == 0:
		b.complete(what) // what it says must be so
	case code != programs.ExitFailed && code != programs.ExitUnreachable || stderr == "":
		b.t.Errorf("%s: exit code %d: %s", what, code, stderr)
	}
	return b.recovered(what)
}
