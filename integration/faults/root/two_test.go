package root

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Of several that want a root at once one has it at a time. The others wait a
// moment, or say who has it; in the end the store is as after one run.
func TestSeveralAtOnce(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	b.run("--all", "--force", "-n", "default", "-n", "other").want(t, "alone", programs.ExitDone)
	pruned := b.d.Capture()
	rounds := 4
	if os.Getenv("SOAK") != "" {
		rounds = 200
	}
	done, refused := 0, 0
	for round := range rounds {
		b.refill()
		results := b.atOnce(3)
		for _, r := range results {
			switch {
			case r.Code == programs.ExitDone:
				done++
			case r.Code == programs.ExitUnreachable && strings.Contains(r.Stderr, "in use by a running containerd or by another ctr-prune"):
				refused++
			default:
				t.Errorf("round %d: exit code %d\n%s%s", round, r.Code, r.Stdout, r.Stderr)
			}
		}
		end := b.d.Capture()
		if err := oracle.Check(b.full, end, oracle.AllowOrphanedSnapshots()); err != nil {
			t.Errorf("round %d: harm:\n%v", round, err)
		}
		b.equal(fmt.Sprintf("round %d", round), pruned, end)
	}
	t.Logf("%d runs: %d did it or had nothing to do, %d were refused", 3*rounds, done, refused)
	if done < rounds {
		t.Errorf("in some round nobody was let in")
	}
}

// atOnce runs n commands at the same time.
func (b *bed) atOnce(n int) []programs.Result {
	results := make([]programs.Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			results[i] = programs.Run(b.t, nil, program, "--root", b.d.Root(), "--all", "--force", "-n", "default", "-n", "other")
		})
	}
	wg.Wait()
	return results
}

// What only looks at a root keeps out nobody who looks, too, but whoever prunes it.
func TestSeveralLookAtOnce(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	looking, err := prune.OpenRoot(t.Context(), b.d.Root(), prune.WithReadOnly())
	b.must(err)
	before := b.tree()
	for _, args := range [][]string{{"--all", "--dry-run"}, {"df"}, {"check"}, {"leases"}} {
		b.run(args...).want(t, fmt.Sprint(args), programs.ExitDone)
	}
	if diff := cmp.Diff(before, b.tree()); diff != "" {
		t.Errorf("looking changed it (-before +after):\n%s", diff)
	}
	b.run("--all", "--force").want(t, "a prune beside one that looks", programs.ExitUnreachable)
	b.must(looking.Close())
	pruning, err := prune.OpenRoot(t.Context(), b.d.Root())
	b.must(err)
	b.run("--all", "--dry-run").want(t, "a dry run beside a prune", programs.ExitUnreachable)
	b.must(pruning.Close())
}
