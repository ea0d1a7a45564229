package clients_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

var reasonUnused = cause.Plainly(cause.CodeUnused).Reason

// pinStore is a store whose CRI tells its configuration, or does not.
type pinStore struct {
	store.Store
	pins store.CRIPins
	err  error
}

func (s pinStore) Abilities() store.Abilities {
	return store.Abilities{CRI: pinCRI{pins: s.pins, err: s.err}}
}

type pinCRI struct {
	store.CRI
	pins store.CRIPins
	err  error
}

func (s pinCRI) Pins(context.Context) (store.CRIPins, error) { return s.pins, s.err }

// The pause image stays in any spelling; where the configuration is not known
// all that is called one stays; a CRI that fails closes the namespace.
func TestPauseImageIsInUse(t *testing.T) {
	w := tw.World{store.CRINamespace: {
		tw.Blob("a"), tw.Record("localhost/kubernetes/pause:latest", "a"), tw.Blob("b"), tw.Record("rancher/mirrored-pause:3.6", "b"),
		tw.Blob("c"), tw.Record("docker.io/library/app:1", "c"),
	}}
	const used = "in use by CRI as its sandbox (pause) image"
	for name, c := range map[string]struct {
		store func(store.Store) store.Store
		want  []string
	}{
		"told": {func(s store.Store) store.Store {
			return pinStore{Store: s, pins: store.CRIPins{store.PinSandbox: {"localhost/kubernetes/pause"}}}
		}, []string{reasonUnused, used, reasonUnused}},
		"not here": {func(s store.Store) store.Store {
			return pinStore{Store: s, pins: store.CRIPins{store.PinSandbox: {"none.example/pause"}}}
		}, []string{reasonUnused, reasonUnused, reasonUnused}},
		"no CRI":  {func(s store.Store) store.Store { return pinStore{Store: s} }, []string{reasonUnused, reasonUnused, reasonUnused}},
		"unknown": {func(s store.Store) store.Store { return pinStore{Store: s, err: errdefs.ErrUnavailable} }, []string{reasonUnused, used + ", possibly, because its configuration cannot be read here", used + ", possibly, because its configuration cannot be read here"}},
		"stopped": {func(s store.Store) store.Store { return s }, []string{reasonUnused, used + ", possibly, because containerd is not running and cannot be asked", used + ", possibly, because containerd is not running and cannot be asked"}},
		"failing": {func(s store.Store) store.Store { return pinStore{Store: s, err: errors.New("CRI is broken")} }, []string{"CRI is broken", "CRI is broken", "CRI is broken"}},
	} {
		s := tw.NewScene(t, w)
		plan := tw.Must(flow.ReadPlan(s.Ctx, c.store(s.Store), rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: tw.All()}, tw.Noon, read.ReadOptions{}))
		var got []string
		for _, d := range plan.Decisions {
			got = append(got, d.Reason)
		}
		for i, want := range c.want {
			if i >= len(got) || !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
				break
			}
		}
		if len(plan.Notes) > 0 {
			t.Errorf("%s: %+v", name, plan.Notes)
		}
	}
}
