package behaviour_test

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// hooked is a store that calls back: before a record is deleted and when it
// was, and before the containers are listed.
type hooked struct {
	prune.Store
	deleting         func(name string)
	deleted, listing func(ctx context.Context)
}

func (h hooked) Images() images.Store { return hookedImages{h.Store.Images(), h.deleting, h.deleted} }

func (h hooked) Containers() containers.Store {
	return hookedContainers{h.Store.Containers(), h.listing}
}

type hookedImages struct {
	images.Store
	deleting func(string)
	deleted  func(context.Context)
}

func (h hookedImages) Delete(ctx context.Context, name string, opts ...images.DeleteOpt) error {
	if h.deleting != nil {
		h.deleting(name)
	}
	err := h.Store.Delete(ctx, name, opts...)
	if h.deleted != nil {
		h.deleted(ctx)
	}
	return err
}

type hookedContainers struct {
	containers.Store
	listing func(context.Context)
}

func (h hookedContainers) List(ctx context.Context, filters ...string) ([]containers.Container, error) {
	if h.listing != nil {
		h.listing(ctx)
	}
	return h.Store.List(ctx, filters...)
}

// planned reads a store and plans to remove all that is unused.
func planned(t *testing.T, store prune.Store) *prune.Plan {
	t.Helper()
	policy := prune.Policy{Namespaces: []string{"default"}, Filters: filters.Everything()}
	now := time.Now()
	plan, err := prune.ReadPlan(t.Context(), store, policy, now, prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// execute does a plan on a store, looks at the outcome and returns it.
func (s *subject) execute(plan *prune.Plan, store prune.Store, e expected) pruned {
	s.t.Helper()
	before := s.state()
	report, err := prune.Execute(s.ctx(), store, plan, prune.ExecuteOptions{Now: time.Now})
	s.must(err)
	p := pruned{t: s.t, Document: prune.ReportDocument(report), before: before, after: s.state()}
	p.check(e)
	return p
}
