package read_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

var errDamaged = errors.New("a record is damaged")

// halfRead is a store in which one list of namespace "other" fails.
type halfRead struct {
	store.Store
	list string
	err  error
}

func (s halfRead) fails(ctx context.Context, list string) error {
	if ns, _ := namespaces.Namespace(ctx); ns == "other" && s.list == list {
		return s.err
	}
	return nil
}

func (s halfRead) Images() images.Store         { return halfImages{s.Store.Images(), s} }
func (s halfRead) Containers() containers.Store { return halfContainers{s.Store.Containers(), s} }
func (s halfRead) Content() content.Store       { return halfContent{s.Store.Content(), s} }

type halfImages struct {
	images.Store
	half halfRead
}

func (i halfImages) List(ctx context.Context, filters ...string) ([]images.Image, error) {
	list, err := i.Store.List(ctx, filters...)
	return list, errors.Join(err, i.half.fails(ctx, "images"))
}

type halfContainers struct {
	containers.Store
	half halfRead
}

func (c halfContainers) List(ctx context.Context, filters ...string) ([]containers.Container, error) {
	list, err := c.Store.List(ctx, filters...)
	return list, errors.Join(err, c.half.fails(ctx, "containers"))
}

type halfContent struct {
	content.Store
	half halfRead
}

func (c halfContent) Walk(ctx context.Context, fn content.WalkFunc, filters ...string) error {
	return errors.Join(c.Store.Walk(ctx, fn, filters...), c.half.fails(ctx, "content"))
}

// A namespace of which nothing is to be removed and that cannot be read does not
// stop the others. What it has counts as held, whatever holds it there.
func TestUnreadNamespace(t *testing.T) {
	for _, list := range []string{"images", "containers", "content"} {
		t.Run(list, func(t *testing.T) {
			s := tw.NewScene(t, tw.World{
				"default": {tw.Blob("own"), tw.Blob("shared"), tw.Record("mine:1", "own"), tw.Record("both:1", "shared")},
				"other":   {tw.Blob("shared"), tw.Record("both:1", "shared")},
			})
			half := halfRead{s.Store, list, errDamaged}
			policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}
			p, err := flow.ReadPlan(t.Context(), half, policy, time.Now(), read.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(p.Outcome.Freed.Blobs); got != 1 {
				t.Errorf("%d blobs are to be freed", got)
			}
			report, err := run.Execute(t.Context(), p, half, run.ExecuteOptions{Now: time.Now})
			if len(report.Untagged) != 2 || report.Reclaimed.Blobs != 1 || err != nil {
				t.Errorf("removed %v, reclaimed %+v, failed %v", report.Untagged, report.Reclaimed, err)
			}
			inv := tw.Must(read.Read(t.Context(), half, inventory.Scope{Namespaces: []string{"default"}}, time.Now(), read.ReadOptions{}))
			notes := inv.Notes()
			if len(notes) != 1 || notes[0].ReasonCode != cause.CodeUnread || !strings.Contains(notes[0].Reason, errDamaged.Error()) {
				t.Errorf("noted %v", notes)
			}
		})
	}
}

// An error is one where the namespace was chosen, where it could be read at
// first, and where nobody answers.
func TestNamespaceThatMustBeRead(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {}, "other": {tw.Blob("a"), tw.Record("a", "a")}})
	mine := inventory.Scope{Namespaces: []string{"default"}}
	for name, read := range map[string]func() (*inventory.Inventory, error){
		"chosen": func() (*inventory.Inventory, error) {
			return read.Read(t.Context(), halfRead{s.Store, "images", errDamaged}, inventory.Scope{AllNamespaces: true}, time.Now(), read.ReadOptions{})
		},
		"nobody answers": func() (*inventory.Inventory, error) {
			return read.Read(t.Context(), halfRead{s.Store, "images", errdefs.ErrUnavailable}, mine, time.Now(), read.ReadOptions{})
		},
		"read before": func() (*inventory.Inventory, error) {
			before := tw.Must(read.Read(t.Context(), s.Store, mine, time.Now(), read.ReadOptions{}))
			return read.ReadAgain(t.Context(), halfRead{s.Store, "images", errDamaged}, before, time.Now(), read.ReadOptions{})
		},
	} {
		if inv, err := read(); err == nil {
			t.Errorf("%s: %v", name, inv)
		}
	}
}
