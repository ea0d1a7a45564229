package behaviour_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// slicedImages is how many images these runs give up in slices.
const slicedImages = 16

// slicing is a store that calls back when a slice was collected.
type slicing struct {
	prune.Store
	leases leases.Manager
}

func (s slicing) Leases() leases.Manager { return s.leases }

type slicingLeases struct {
	leases.Manager
	collected func()
}

func (l slicingLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	err := l.Manager.Delete(ctx, lease, opts...)
	var asked leases.DeleteOptions
	for _, opt := range opts {
		_ = opt(ctx, &asked)
	}
	if asked.Synchronous && err == nil {
		l.collected()
	}
	return err
}

// inSlices runs the library over a store of many images. At each collection, which has
// a number from 1, something happens. As the clock of the run stands still, no
// collection takes long, however busy the machine is, and each slice has four times as
// many images as the one before: the first collection removes one, the second only looks,
// and the third removes four.
func (s *subject) inSlices(images []*imagestore.Image, happens func(collection int, cancel func())) (*prune.Report, error) {
	s.t.Helper()
	s.add(images...)
	s.ready()
	store := s.daemon.Open()
	defer store.Close()
	plan := planned(s.t, store)
	now := time.Now()
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	n := 0
	sliced := slicing{store, slicingLeases{store.Leases(), func() { n++; happens(n, cancel) }}}
	return prune.Execute(ctx, sliced, plan, prune.ExecuteOptions{Now: func() time.Time { return now }, MaxStall: time.Nanosecond, Finish: time.Minute})
}

func (s *subject) slicedImages() (images []*imagestore.Image) {
	for i := range slicedImages {
		images = append(images, s.image(fmt.Sprintf("docker.io/library/i%02d:1", i), 2))
	}
	return images
}

// whole fails the test unless an image has its record, its blobs and its snapshots.
func (s *subject) whole(img *imagestore.Image) {
	s.t.Helper()
	state := s.state().Namespaces["default"]
	if state.Images[img.Name].Target.Digest != img.Target.Digest {
		s.t.Errorf("%s has no record", img.Name)
	}
	for _, d := range img.Digests() {
		if _, there := state.Content[d]; !there {
			s.t.Errorf("blob %s of %s is gone", d, img.Name)
		}
	}
	found := map[string]bool{}
	for key := range state.Snapshots {
		found[key.Key] = true
	}
	for _, chain := range img.ChainIDs() {
		if !found[chain] {
			s.t.Errorf("snapshot %s of %s is gone", chain, img.Name)
		}
	}
}

// A real containerd in whose store a run is between two slices: whoever comes finds
// whole what the run still holds, and the rest goes.
func TestBetweenSlices(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.newcomersInEachSlice()
		s.stoppedBetweenSlices()
		s.anotherPrunerBetweenSlices()
		s.killedBetweenSlices()
	})
}

// A container is created from what is still held after each of three slices, and an
// image is pulled again.
func (s *subject) newcomersInEachSlice() {
	images := s.slicedImages()
	report, err := s.inSlices(images, func(n int, _ func()) {
		last := images[slicedImages-min(n, 3)]
		switch n {
		case 1, 3:
			ctx := s.Context(s.ctx())
			s.must(s.Container(ctx, imagestore.ContainerSpec{ID: fmt.Sprint("late-", n), Of: last}))
		case 2:
			s.must(s.Add(s.ctx(), last))
		}
	})
	s.must(err)
	if len(report.Restored) != 2 || len(report.Untagged) != slicedImages-1 {
		s.t.Errorf("restored %+v, %d untagged", report.Restored, len(report.Untagged))
	}
	state := s.state().Namespaces["default"]
	for _, n := range []int{1, 3} {
		target := images[slicedImages-n].Target.Digest
		found := false
		for _, record := range state.Images {
			found = found || record.Target.Digest == target
		}
		if !found {
			s.t.Errorf("the image of container late-%d has no record", n)
		}
		s.must(s.RemoveContainer(s.ctx(), fmt.Sprint("late-", n)))
	}
	s.whole(images[slicedImages-2])
	s.empty()
}

// empty removes what is left.
func (s *subject) empty() {
	s.t.Helper()
	run(s.t, append(s.where(), "--all", "--force")...).Want(s.t, programs.ExitDone)
	if left := s.state().Namespaces["default"]; left != nil && len(left.Images)+len(left.Content)+len(left.Snapshots)+len(left.Leases) > 0 {
		s.t.Errorf("left: %d records, %d blobs, %d snapshots, %d leases", len(left.Images), len(left.Content), len(left.Snapshots), len(left.Leases))
	}
}

// A run that is told to stop, by a signal or because its time is over, ends what it
// has begun.
func (s *subject) stoppedBetweenSlices() {
	report, err := s.inSlices(s.slicedImages(), func(n int, cancel func()) {
		if n == 1 {
			cancel()
		}
	})
	if err != nil || report.Interrupted || len(report.Untagged) != slicedImages || report.Reclaimed.Snapshots != 2*slicedImages {
		s.t.Errorf("%d untagged, %+v reclaimed, interrupted %v, %v", len(report.Untagged), report.Reclaimed, report.Interrupted, err)
	}
	s.empty()
}

// Another run is told that one is under way, and changes nothing.
func (s *subject) anotherPrunerBetweenSlices() {
	images := s.slicedImages()
	report, err := s.inSlices(images, func(n int, _ func()) {
		if n == 1 {
			s.added("docker.io/library/other:1", 1) // or there would be nothing to do
			run(s.t, append(s.where(), "--all", "--force")...).Want(s.t, programs.ExitBusy)
		}
	})
	s.must(err)
	if len(report.Untagged) != slicedImages {
		s.t.Errorf("%d untagged", len(report.Untagged))
	}
	s.empty()
}

// containerd is killed between two slices: what was not given up is there, and the
// next run finishes this one.
func (s *subject) killedBetweenSlices() {
	images := s.slicedImages()
	last := images[slicedImages-1]
	_, err := s.inSlices(images, func(n int, _ func()) {
		if n == 3 {
			s.daemon.Kill()
		}
	})
	if err == nil {
		s.t.Error("the run did not notice that containerd was killed")
	}
	s.up()
	s.must(s.Collect(s.ctx()))
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "late", Image: last.Name, Of: last}))
	doc := run(s.t, append(s.where(), "--all", "--force", "--format", "json")...).Want(s.t, programs.ExitDone).Document(s.t)
	if len(doc.Recovered) != 1 || len(doc.Recovered[0].Restored) != 1 {
		s.t.Errorf("recovered %+v", doc.Recovered)
	}
	s.whole(last)
	s.must(s.RemoveContainer(s.ctx(), "late"))
	s.empty()
}
