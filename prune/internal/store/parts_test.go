package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A list that is too long for one answer is complete all the same, and has
// nothing twice, whatever the names end in.
func TestListInParts(t *testing.T) {
	things := []tw.Thing{tw.Blob("a"), tw.Record("a", "a"), tw.Record("0", "a"), tw.Record("fa", "a"), tw.Record("z", "a")}
	for i := range 60 {
		things = append(things, tw.Record(fmt.Sprintf("docker.io/library/app@sha256:%064x", i*i*7919), "a"), tw.Record(fmt.Sprintf("docker.io/library/app-%d:latest", i), "a"))
	}
	s := tw.NewScene(t, tw.World{"default": things})
	want := tw.Must(s.Store.Images().List(s.Ctx))
	for _, most := range []int{1, 10, 1000} {
		asked := 0
		list := func(ctx context.Context, filters ...string) ([]images.Image, error) {
			asked++
			got, err := s.Store.Images().List(ctx, filters...)
			if len(got) > most {
				return nil, fmt.Errorf("in whatever words: %w", errdefs.ErrResourceExhausted)
			}
			return got, err
		}
		got, err := store.InParts(s.Ctx, store.ByTarget, list)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b images.Image) int { return strings.Compare(a.Name, b.Name) })
		if !slices.EqualFunc(got, want, func(a, b images.Image) bool { return a.Name == b.Name }) {
			t.Errorf("at most %d an answer: %d of %d names", most, len(got), len(want))
		}
		if most == 1000 && asked != 1 {
			t.Errorf("asked %d times for one answer", asked)
		}
	}
	_, err := store.InParts(s.Ctx, store.ByTarget, func(context.Context, ...string) ([]images.Image, error) { return nil, errdefs.ErrResourceExhausted })
	if !errdefs.IsResourceExhausted(err) {
		t.Errorf("one record that is too large: %v", err)
	}
}

// Each part makes containerd read the whole list, so there are few of them, also
// where all names end alike.
func TestFewParts(t *testing.T) {
	var things []tw.Thing
	for i := range 200 {
		target := fmt.Sprint("m", i)
		things = append(things, tw.Blob(target), tw.Record(fmt.Sprintf("docker.io/library/app-%d:latest", i), target))
	}
	s := tw.NewScene(t, tw.World{"default": things})
	asked, longest := 0, 0
	all, err := store.InParts(s.Ctx, store.ByTarget, func(ctx context.Context, filters ...string) ([]images.Image, error) {
		asked++
		got, err := s.Store.Images().List(ctx, filters...)
		if len(got) > 30 {
			return nil, errdefs.ErrResourceExhausted
		}
		longest = max(longest, len(got))
		return got, err
	})
	if err != nil || len(all) != 200 || asked > 31 {
		t.Errorf("%d records in %d answers, of which the longest has %d: %v", len(all), asked, longest, err)
	}
}
