package peers

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

var (
	size   = flag.Int("size", 20, "how `MANY` images a store has")
	rounds = flag.Int("rounds", 0, "how `OFTEN` each program is timed, after a run that counts its collections")
	out    = flag.String("out", "", "write the table to this `FILE`")
	dir    = flag.String("dir", "", "make the daemons in this `FOLDER`")
)

// command is the path of ctr-prune.
var command string

func TestPeers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("pods and dockerd need root")
	}
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	command = programs.Build(t)
	if *dir == "" && *out == "" {
		*dir = daemon.InMemory()
	}
	where := machine.Describe()
	var all []result
	for _, w := range worlds {
		t.Run(w.title, func(t *testing.T) { all = append(all, w.compare(t)...) })
	}
	text := markdown(where, all)
	t.Logf("\n%s", text)
	for _, r := range all {
		if len(r.runs) == 0 {
			continue // it has failed
		}
		if r.ours && (r.lost() > 0 || r.claimed() != r.freed()) {
			t.Errorf("ctr-prune in %s: images in use lost: %q; %d bytes claimed, %d freed",
				r.namespace, r.runs[0].lost, r.claimed(), r.freed())
		}
	}
	if *out == "" || t.Failed() {
		return
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compare runs all programs of a world on copies of one store, and begins
// with another one in each round. The time of the first round does not count
// unless it is the only one: containerd writes a log then, from which its
// collections are counted.
func (w world) compare(t *testing.T) []result {
	t.Helper()
	template := w.fill(t, *size)
	all := make([]result, len(w.programs))
	for i, p := range w.programs {
		all[i] = result{namespace: w.namespace, program: p.name, ours: p.ours}
	}
	for round := range *rounds + 1 {
		for i := range w.programs {
			n := (i + round) % len(w.programs)
			t.Run(fmt.Sprintf("round%d/%s", round, w.programs[n].short), func(t *testing.T) {
				s := w.copy(t, template, round == 0)
				r := s.measure(t, w.programs[n])
				if round == 0 {
					all[n].collections = s.collections()
				}
				if round > 0 || *rounds == 0 {
					all[n].runs = append(all[n].runs, r)
				}
			})
		}
	}
	return all
}
