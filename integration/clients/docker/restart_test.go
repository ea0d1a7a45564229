package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
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
		deadline, refusals := time.Now().Add(5*time.Minute), 0
		for {
			source, err := docker.New(e.Socket(), store, docker.WithTimeout(5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			uses, covered, err := source.Uses(t.Context(), prune.Asked{Namespace: ns})
			if err == nil {
				if !covered || len(uses) != many {
					t.Errorf("%d uses, covered %v, want those of %d containers", len(uses), covered, many)
				}
				break
			}
			if refusals++; time.Now().After(deadline) {
				t.Fatalf("no answer for five minutes: %v", err)
			}
		}
		t.Logf("it was refused %d times", refusals)
	})
}

func namespaceOf(t *testing.T, store prune.Store) *prune.Namespace {
	t.Helper()
	inv, err := prune.Read(t.Context(), store, pruning.All(Namespace).Scope(), time.Now(), prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return inv.Namespace(Namespace)
}

// A container that the Engine cannot read it leaves out of its list and its
// count. containerd still has its layers.
func TestContainerThatTheEngineCannotRestore(t *testing.T) {
	onEach(t, func(t *testing.T, e *Engine) {
		e.Image("docker.io/library/app:1")
		e.Create("whole", "app:1")
		id := e.Create("broken", "app:1")
		e.Image("docker.io/library/unused:1")
		e.StopEngine()
		path := filepath.Join(e.dir(), "data", "containers", id, "config.v2.json")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write := func(text []byte) {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			e.StartEngine()
		}
		write(whole[:len(whole)/2])
		report := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), nil)
		refused := report.Plan.Refused
		if len(refused) != 1 || !strings.Contains(refused[0].Reason, "it does not know container "+id[:12]) || len(report.Untagged) != 0 {
			t.Errorf("refused %q, untagged %v", refused, report.Untagged)
		}
		e.StopEngine()
		write(whole)
		pruneAndCheck(t, e)
	})
}
