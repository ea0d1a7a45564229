package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// noon is when the plans of the tables are made. What they find was made a
// month before, if the table does not say otherwise.
var (
	noon     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	monthAgo = noon.AddDate(0, -1, 0)
)

// created and updated set the times of a record; created that of a blob, too.
func created(at time.Time) attr { return func(t *thing) { t.Created = at } }
func updated(at time.Time) attr { return func(t *thing) { t.Updated = at } }

// annotated adds an annotation to the target of a record.
func annotated(key, value string) attr {
	return func(t *thing) { t.Annotations = map[string]string{key: value} }
}

// about makes a blob a manifest whose subject is another.
func about(text string) attr { return func(t *thing) { t.Subject = dig(text) } }

// inventory is what Read finds of a world, without a store.
func (w world) inventory() *inventory.Inventory {
	inv := &inventory.Inventory{Store: store.StoreInfo{Kind: store.StoreDaemon, Location: "/c.sock", ID: "world", Version: "2.4.2", Snapshotters: []string{"memory", "other"}}}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		ns := &inventory.Namespace{
			Name: name, Blobs: map[digest.Digest]content.Info{}, Snapshots: map[inventory.SnapshotKey]snapshots.Info{},
			Subjects: map[digest.Digest]digest.Digest{}, Configs: map[digest.Digest]inventory.Config{},
		}
		for _, t := range w[name] {
			t.list(ns)
		}
		slices.SortFunc(ns.Images, func(a, b images.Image) int { return strings.Compare(a.Name, b.Name) })
		inv.Namespaces = append(inv.Namespaces, ns)
	}
	must(0, clients.Asking{Info: inv.Store, Now: noon}.Learn(context.Background(), inv))
	sizes := inventory.Sizes{}
	for id := range inv.Objects().Snapshots {
		sizes[id] = memoryUsage(id.Key)
	}
	return inv.WithSizes(sizes)
}

// list adds the thing to what was read of its namespace.
func (t thing) list(ns *inventory.Namespace) {
	at := func(at time.Time) time.Time {
		if at.IsZero() {
			return monthAgo
		}
		return at
	}
	switch t.What {
	case graph.KindContent:
		ns.Blobs[dig(t.Name)] = content.Info{Digest: dig(t.Name), Size: int64(len(body(t.Name))), CreatedAt: at(t.Created), Labels: t.Labels}
		if t.Subject != "" {
			ns.Subjects[dig(t.Name)] = t.Subject
		}
	case graph.KindSnapshot:
		ns.Snapshots[inventory.SnapshotKey{Snapshotter: t.Snapshotter, Key: t.Name}] = snapshots.Info{Name: t.Name, Parent: t.Of, Labels: t.Labels}
	case graph.KindImage:
		target := descriptor(t.Of)
		target.Annotations = t.Annotations
		ns.Images = append(ns.Images, images.Image{Name: t.Name, Target: target, Labels: t.Labels, CreatedAt: at(t.Created), UpdatedAt: at(t.Updated)})
	case graph.KindContainer:
		ns.Containers = append(ns.Containers, t.container())
	case graph.KindSandbox:
		ns.Sandboxes = append(ns.Sandboxes, sandbox.Sandbox{ID: t.Name, Labels: t.Labels})
	case graph.KindLease:
		ns.Leases = append(ns.Leases, inventory.Lease{Lease: leases.Lease{ID: t.Name, Labels: t.Labels}, Resources: t.Holds})
	case graph.KindIngest:
		ns.Ingests = append(ns.Ingests, content.Status{Ref: t.Name, Expected: dig(t.Of), StartedAt: at(t.Created), UpdatedAt: at(t.Updated)})
	}
}

// all and onlyDangling are policies of the command line.
func all(typed ...string) filters.Set {
	return must(filters.Parse(filters.Options{All: true, Filters: typed}, noon))
}

func onlyDangling(typed ...string) filters.Set {
	return must(filters.Parse(filters.Options{Filters: typed}, noon))
}

// decided plans and writes the decisions as "name: action: reason", with
// digests by what is written in their blobs.
func decided(t *testing.T, w world, policy rules.Policy) []string {
	t.Helper()
	plan, err := plan.NewPlan(w.inventory(), policy, noon)
	if err != nil {
		t.Fatal(err)
	}
	checkDecisions(t, plan)
	lines := []string{}
	for _, d := range plan.Decisions {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", d.Name, d.Action, d.Reason))
	}
	return strings.Split(legend(strings.Join(lines, "\n")), "\n")
}

// checkDecided compares the decisions about one namespace.
func checkDecided(t *testing.T, namespace string, set filters.Set, things []thing, want []string) {
	t.Helper()
	got := decided(t, world{namespace: things}, rules.Policy{Namespaces: []string{namespace}, Filters: set})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// explainedBy is what Explain tells of an inventory that is measured.
func explainedBy(inv *inventory.Inventory, text string, policy rules.Policy, now time.Time) (*explain.Explanation, error) {
	p, m, n, err := explain.FindSubject(inv, text, policy, now)
	if err != nil {
		return nil, err
	}
	return explain.ExplainNode(p, m, n), nil
}

// usageOf is the usage as the plan sees it that removes all that is unused.
func usageOf(inv *inventory.Inventory, policy rules.Policy, now time.Time, objects bool) *df.DiskUsage {
	policy.Filters = filters.Everything()
	p, m, err := plan.PlanWith(inv, policy, now, nil)
	must(0, err)
	return df.PlanUsage(p, m, objects)
}

// readSized reads a store and measures all snapshots.
func readSized(s *scene, opts read.ReadOptions) *inventory.Inventory {
	return must(read.ReadMeasured(context.Background(), s.store, inventory.Scope{AllNamespaces: true}, time.Now(), opts, (*gc.Collector).AllSnapshots))
}
