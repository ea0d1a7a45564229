package run_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A collection is asked for where nobody is in the way.
func TestQuietNamespace(t *testing.T) {
	id := strings.Repeat("1a", 32)
	docker := []inventory.Lease{{Lease: leases.Lease{ID: id}, Resources: []leases.Resource{tw.TheSnapshot("overlayfs", id), tw.TheSnapshot("overlayfs", id+"-init")}}}
	for want, names := range map[string]string{
		"default":  "buildkit buildkit_history default docker k8s.io moby",
		"zzz":      "buildkit buildkit_history k8s.io moby zzz",
		"k8s.io":   "k8s.io moby moby_history",
		"buildkit": "buildkit buildkit_history moby",
		"":         "docker moby moby_history",
	} {
		inv := &inventory.Inventory{}
		for name := range strings.FieldsSeq(names) {
			ns := &inventory.Namespace{Name: name}
			if name == "docker" {
				ns.Leases = docker
			}
			inv.Namespaces = append(inv.Namespaces, ns)
		}
		if got, found := run.QuietNamespace(inv); got != want || found != (want != "") {
			t.Errorf("of %s: %q, want %q", names, got, want)
		}
	}
}

// Where there is none but Docker's, one is made, and is gone afterwards.
func TestOwnNamespace(t *testing.T) {
	for _, w := range []tw.World{{}, {"moby": {tw.Blob("a"), tw.Record("x:1", "a")}, "moby_history": {}}} {
		s := tw.NewScene(t, w)
		before := tw.Must(s.Store.Namespaces(s.Ctx))
		var where []string
		s.Tape.After = func(call string) error {
			if strings.HasPrefix(call, "lease ") {
				where = append(where, tw.Must(s.Store.Namespaces(s.Ctx))...)
			}
			return nil
		}
		found := []check.Finding{{Problem: check.ProblemUnowned, Repairable: true, Snapshotters: []string{"memory"}}}
		tw.Must(check.Repair(context.Background(), s.Tape, found, run.ExecuteOptions{Now: time.Now}))
		where = slices.DeleteFunc(where, func(name string) bool { return slices.Contains(before, name) })
		if len(where) != 1 || !strings.HasPrefix(where[0], run.OwnNamespace) {
			t.Errorf("made %v", where)
		}
		if diff := cmp.Diff(before, tw.Must(s.Store.Namespaces(s.Ctx))); diff != "" {
			t.Errorf("namespaces (-before +after):\n%s", diff)
		}
	}
}
