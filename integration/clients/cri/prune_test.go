package cri_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// pruned is what a run on a node did.
type pruned struct {
	plan          *prune.Plan
	report        *prune.Report
	before, after *oracle.State
}

// run is a prune, of everything unused unless said otherwise.
type run struct {
	namespaces []string
	sources    []prune.Source
	dial       []grpc.DialOption
	dangling   bool // only what is dangling
}

// pruneAll prunes k8s.io, and nothing may fail.
func pruneAll(t *testing.T, n *cri.Node, sources ...prune.Source) pruned {
	t.Helper()
	p, err := run{namespaces: []string{cri.Namespace}, sources: sources}.on(t, n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// on does the run on a node and lets the oracle check what was done. The error
// is that of the execution.
func (r run) on(t *testing.T, n *cri.Node) (pruned, error) {
	t.Helper()
	store, err := prune.Open(t.Context(), n.Address(), prune.WithDialOptions(r.dial...))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := pruned{before: n.Capture()}
	policy := prune.Policy{Namespaces: r.namespaces, Filters: filters.Everything()}
	if r.dangling {
		policy.Filters = filters.Set{}
	}
	if p.plan, err = prune.ReadPlan(t.Context(), store, policy, time.Now(), prune.ReadOptions{Sources: r.sources}); err != nil {
		t.Fatal(err)
	}
	p.report, err = prune.Execute(t.Context(), store, p.plan, prune.ExecuteOptions{Now: time.Now, Sources: r.sources})
	if p.report == nil {
		t.Fatal(err)
	}
	p.after = n.Capture()
	if err := oracle.Check(p.before, p.after); err != nil {
		t.Errorf("the prune did harm: %v", err)
	}
	if freed := diskBytes(p.before) - diskBytes(p.after); freed != p.report.Reclaimed.ContentBytes {
		t.Errorf("the disk gave back %d bytes, the report says %d", freed, p.report.Reclaimed.ContentBytes)
	}
	return p, err
}

func diskBytes(s *oracle.State) (sum int64) {
	for _, size := range s.Files {
		sum += size
	}
	return sum
}

// reason returns what the plan says about a record that it keeps.
func (p pruned) reason(t *testing.T, name string) string {
	t.Helper()
	for _, d := range p.plan.Decisions {
		if d.Name == name && d.Action == prune.Keep {
			return d.Reason
		}
	}
	t.Errorf("the plan does not keep %q", name)
	return ""
}

// wantGone fails the test for records of the images that are still there, and
// for those of others that are not.
func (p pruned) wantGone(t *testing.T, gone ...*imagestore.Image) {
	t.Helper()
	for name, record := range p.before.Namespaces[cri.Namespace].Images {
		should := slices.ContainsFunc(gone, func(i *imagestore.Image) bool { return i.Target.Digest == record.Target.Digest })
		_, left := p.after.Namespaces[cri.Namespace].Images[name]
		if should == left {
			t.Errorf("record %s: should be gone: %v, is there: %v", name, should, left)
		}
	}
}

// wantClean checks that CRI shows exactly what the records of the store say:
// in its list, and when it is asked for each name, be it full or bare, and ID.
func wantClean(t *testing.T, n *cri.Node) {
	t.Helper()
	n.Settle()
	want := make(map[string][]string)
	ids := make(map[string]string) // by each name that CRI can be asked for
	for name, record := range n.Capture().Namespaces[cri.Namespace].Images {
		id := n.ID(record.Target.Digest)
		ref, err := reference.ParseAnyReference(name)
		_, named := ref.(reference.Named)
		if _, known := want[id]; !known {
			want[id] = []string{}
		}
		ids[id] = id
		if err == nil && named && ref.String() == name {
			ids[name] = id
		}
		if err == nil && named && !slices.Contains(want[id], ref.String()) {
			want[id] = append(want[id], ref.String())
		}
	}
	for _, names := range want {
		slices.Sort(names)
	}
	if diff := cmp.Diff(want, n.Listed()); diff != "" {
		t.Errorf("CRI's list (-records of the store +CRI):\n%s", diff)
	}
	for name, id := range ids {
		wantStatus(t, n, name, id)
	}
}

func wantStatus(t *testing.T, n *cri.Node, name, id string) {
	t.Helper()
	found, err := n.Status(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if found.GetId() != id {
		t.Errorf("CRI's status of %q is image %q, want %q", name, found.GetId(), id)
	}
}

// wantUsable makes containers from an image by everything it is called.
func wantUsable(t *testing.T, n *cri.Node, names ...string) {
	t.Helper()
	pod := n.Pod(fmt.Sprintf("again-%d", time.Now().UnixNano()))
	defer pod.Remove()
	for i, name := range names {
		id, err := pod.TryCreate(cri.Container{Name: fmt.Sprintf("c%d", i), Image: name, Exits: true})
		if err != nil {
			t.Errorf("no container can be created from %q any more: %v", name, err)
			continue
		}
		pod.Start(id)
	}
}

// wantForgotten checks that CRI knows none of the names.
func wantForgotten(t *testing.T, n *cri.Node, names ...string) {
	t.Helper()
	for _, name := range names {
		if found, err := n.Status(context.WithoutCancel(t.Context()), name); err != nil || found != nil {
			t.Errorf("CRI still knows %q: %v, %v", name, found, err)
		}
	}
}
