package clients_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// podStore has records of sandboxes, a CRI and processes.
type podStore struct {
	store.Store
	recorded []containers.Container
	more     []sandbox.Sandbox
	shown    []store.CRISandbox
	criErr   error
	running  string // the IDs, as one text
}

type podContainers struct {
	containers.Store
	list []containers.Container
}

type podRecords struct {
	sandbox.Store
	list []sandbox.Sandbox
}

func (s podContainers) List(context.Context, ...string) ([]containers.Container, error) {
	return s.list, nil
}

func (s podRecords) List(context.Context, ...string) ([]sandbox.Sandbox, error) { return s.list, nil }

func (s podStore) Containers() containers.Store { return podContainers{list: s.recorded} }

func (s podStore) Sandboxes() sandbox.Store { return podRecords{list: s.more} }

func (s podStore) Abilities() store.Abilities { return store.Abilities{CRI: fakePods{podStore: s}} }

type fakePods struct {
	store.CRI
	podStore podStore
}

func (s fakePods) PodSandboxes(context.Context) ([]store.CRISandbox, error) {
	return s.podStore.shown, s.podStore.criErr
}

func (s fakePods) Runs(_ context.Context, id string) (bool, error) {
	return strings.Contains(s.podStore.running, id), nil
}

var (
	booted = time.Unix(1767225600, 0)
	before = booted.Add(-time.Hour)
	since  = booted.Add(time.Hour)
)

// podRecord is CRI's record of the sandbox of pod default/<id>.
func podRecord(id string, created time.Time) containers.Container {
	return containers.Container{ID: id, CreatedAt: created, Labels: map[string]string{
		inventory.LabelCRIKind: inventory.KindCRISandbox, inventory.LabelPodName: id, inventory.LabelPodNamespace: "default", inventory.LabelPodUID: "uid-" + id,
	}}
}

func podShown(id string, created time.Time, ready bool) store.CRISandbox {
	return store.CRISandbox{PodSandbox: store.PodSandbox{ID: id, Namespace: "default", Name: id, UID: "uid-" + id, CreatedAt: created}, Ready: ready}
}

// What is over is what CRI calls not ready, or does not know, and what has no
// process, and was not left by the machine's last run.
func TestPodSandboxes(t *testing.T) {
	notThere := fmt.Errorf("no CRI: %w", errdefs.ErrNotImplemented)
	for name, test := range map[string]struct {
		store podStore
		want  string
	}{
		"ready":                       {podStore{recorded: []containers.Container{podRecord("a", since)}, shown: []store.CRISandbox{podShown("a", since, true)}}, "a runs"},
		"ready since before the boot": {podStore{shown: []store.CRISandbox{podShown("a", before, true)}}, "a runs"},
		"ready, and no container":     {podStore{shown: []store.CRISandbox{podShown("a", since, true)}}, "a runs"},
		"not ready":                   {podStore{recorded: []containers.Container{podRecord("a", since)}, shown: []store.CRISandbox{podShown("a", since, false)}}, "a over"},
		"not ready, but a process":    {podStore{shown: []store.CRISandbox{podShown("a", since, false)}, running: "a"}, "a runs"},
		"left by the last run":        {podStore{shown: []store.CRISandbox{podShown("a", before, false), podShown("b", since, false)}}, "a left, b over"},
		"not shown":                   {podStore{recorded: []containers.Container{podRecord("a", since), podRecord("b", since), podRecord("c", before)}, running: "b"}, "a over, b runs, c left"},
		"no CRI":                      {podStore{criErr: notThere, recorded: []containers.Container{podRecord("a", since), podRecord("b", since)}, running: "b"}, "a over, b runs"},
		"only in CRI's own records":   {podStore{criErr: notThere, more: []sandbox.Sandbox{{ID: "a", Labels: podRecord("a", since).Labels, CreatedAt: before}}}, "a left"},
		"containers of pods":          {podStore{recorded: []containers.Container{{ID: "c", Labels: map[string]string{inventory.LabelCRIKind: "container"}}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			checkSandboxes(t, clients.Asked{Namespace: &inventory.Namespace{Name: store.CRINamespace}, Pods: clients.PodReader{Store: test.store, Procfs: bootedAt(t, booted)}}, test.want)
		})
	}
}

// bootedAt is a machine that was started then.
func bootedAt(t *testing.T, at time.Time) proc.Procfs {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stat"), fmt.Appendf(nil, "btime %d\n", at.Unix()), 0o600); err != nil {
		t.Fatal(err)
	}
	return proc.Procfs{Root: dir}
}

func checkSandboxes(t *testing.T, ns clients.Asked, want string) {
	t.Helper()
	found, err := ns.PodSandboxes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range found {
		if s.Name != s.ID || s.Namespace != "default" || s.UID != "uid-"+s.ID {
			t.Errorf("sandbox of no pod: %+v", s)
		}
		got = append(got, s.ID+" "+string(s.State))
	}
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

// Where there is nobody to ask, nothing is known to be over.
func TestPodSandboxesOfNobody(t *testing.T) {
	list := []containers.Container{podRecord("a", before)}
	silent := silentStore{podStore{recorded: list}}
	checkSandboxes(t, clients.Asked{Namespace: &inventory.Namespace{Name: store.CRINamespace}, Pods: clients.PodReader{Store: silent}}, "a unknown")
	checkSandboxes(t, clients.Asked{Namespace: &inventory.Namespace{Name: store.CRINamespace, Containers: list}}, "a unknown")
	checkSandboxes(t, clients.Asked{Namespace: &inventory.Namespace{Name: "default", Containers: list}}, "")
}

// silentStore has nobody to ask.
type silentStore struct{ podStore }

func (silentStore) Abilities() store.Abilities { return store.Abilities{} }

// CRI answers with an error until it has read its state.
func TestPodSandboxesBeforeCRIIsReady(t *testing.T) {
	st := podStore{criErr: fmt.Errorf("server is not initialized yet: %w", errdefs.ErrUnavailable)}
	ns := clients.Asked{Namespace: &inventory.Namespace{Name: store.CRINamespace}, Pods: clients.PodReader{Store: st}}
	if found, err := ns.PodSandboxes(t.Context()); err == nil {
		t.Errorf("got %v", found)
	}
}
