package root

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// Of several that want a root at once one has it at a time. The others wait a
// moment, or say who has it; in the end the store is as after one run.
func TestSeveralAtOnce(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	b.run("--all", "--force", "-n", "default", "-n", "other").want(t, "alone", exitDone)
	pruned := b.capture()
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
			case r.code == exitDone:
				done++
			case r.code == exitUnreachable && strings.Contains(r.stderr, "in use by a running containerd or by another ctr-prune"):
				refused++
			default:
				t.Errorf("round %d: exit code %d\n%s%s", round, r.code, r.stdout, r.stderr)
			}
		}
		end := b.capture()
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
func (b *bed) atOnce(n int) []result {
	results := make([]result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			cmd := exec.CommandContext(b.t.Context(), program, "--root", b.d.Root(), "--all", "--force", "-n", "default", "-n", "other")
			var out, errs strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &errs
			err := cmd.Run()
			if cmd.ProcessState == nil {
				errs.WriteString(err.Error())
				results[i] = result{-1, "", errs.String()}
				return
			}
			results[i] = result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
		})
	}
	wg.Wait()
	return results
}
