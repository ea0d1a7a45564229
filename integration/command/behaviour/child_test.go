package behaviour_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// childRoot makes this program a run that waits for its death, on the root
// that the variable names.
const childRoot = "BEHAVIOUR_CHILD_ROOT"

// deletionsDone is what the child says when all records are deleted.
const deletionsDone = "deleted"

// beChild prunes a root up to the look that follows the deletions.
func beChild(root string) int {
	err := pruneAndHang(context.Background(), root)
	fmt.Fprintln(os.Stderr, "the run was to be killed:", err)
	return 1
}

func pruneAndHang(ctx context.Context, root string) error {
	store, err := prune.OpenRoot(ctx, root)
	if err != nil {
		return err
	}
	policy := prune.Policy{Namespaces: []string{"default"}, Filters: filters.Everything()}
	plan, err := prune.ReadPlan(ctx, store, policy, time.Now(), prune.ReadOptions{})
	if err != nil {
		return err
	}
	deleted := false
	hanging := hooked{
		Store:   store,
		deleted: func(context.Context) { deleted = true },
		listing: func(context.Context) {
			if deleted {
				fmt.Println(deletionsDone)
				select {}
			}
		},
	}
	_, err = prune.Execute(ctx, hanging, plan, prune.ExecuteOptions{Now: time.Now})
	return err
}

// killChild runs a child on the root of the stopped daemon, kills it when it
// has deleted all records, and returns its process ID.
func (s *subject) killChild() int {
	s.t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childRoot+"="+s.daemon.Root())
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	s.must(err, child.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	s.must(child.Process.Kill())
	exitOf(s.t, child.Wait())
	if err != nil || said != deletionsDone+"\n" {
		s.t.Fatalf("the child says %q, %v", said, err)
	}
	return child.Process.Pid
}
