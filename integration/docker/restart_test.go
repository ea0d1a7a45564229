package docker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/docker"
)

// An Engine that is started is asked all the while: it says nothing, or all. It
// listens before it has restored its containers.
func TestEngineThatRestoresItsContainers(t *testing.T) {
	onEach(t, func(t *testing.T, e *Engine) {
		const many = 40
		e.Image("docker.io/library/app:1")
		for i := range many {
			e.Create(fmt.Sprintf("c%d", i), "app:1")
		}
		e.KillEngine()
		store, err := prune.Open(t.Context(), e.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		ns := namespaceOf(t, store)
		var started sync.WaitGroup
		started.Go(e.StartEngine)
		defer started.Wait()
		deadline, refusals := time.Now().Add(time.Minute), 0
		for {
			source, err := docker.New(e.Socket(), store, docker.WithTimeout(5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			uses, covered, err := source.Uses(t.Context(), ns)
			if err == nil {
				if !covered || len(uses) != many {
					t.Errorf("%d uses, covered %v, want those of %d containers", len(uses), covered, many)
				}
				break
			}
			if refusals++; time.Now().After(deadline) {
				t.Fatalf("no answer for a minute: %v", err)
			}
		}
		t.Logf("it was refused %d times", refusals)
	})
}

func namespaceOf(t *testing.T, store prune.Store) *prune.Namespace {
	t.Helper()
	inv, err := prune.Read(t.Context(), store, pruning.All(Namespace), time.Now(), prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return inv.Namespace(Namespace)
}
