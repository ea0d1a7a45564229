package run

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// TellTime is how much later than the answer to a deletion that came after it a
// write may be dated: by when containerd tells of it.
const TellTime = 100 * time.Millisecond

// EndWatch waits until all is known that others wrote before the last deletion.
func (x *Execution) EndWatch(ctx context.Context) {
	err := x.Watch.Await(ctx, x.Deleted)
	if err != nil && x.gone == nil {
		x.gone = x.silent(ctx, err)
	}
	switch {
	case x.gone != nil:
		x.Report.Untried += len(x.unsure)
	case x.Watch.failure() != nil:
		x.fail(fmt.Errorf("deleting was stopped, and what somebody wrote in the moment of its deletion may be gone with it: %w", err))
	case err != nil:
		x.fail(fmt.Errorf("what somebody wrote in the moment of its deletion may be gone with it: %w", err))
	}
}

// lastSeen returns a record that is gone as it was: of the plan, or as somebody
// has written it since. The event does not say what the record named. That is
// known if the deletion depended on it, so not from a server before 2.0.
func (x *Execution) lastSeen(d rules.Decision) images.Image {
	image := *d.Image
	s := x.Watch.Of(d.Key())
	switch {
	case !x.TookAlong(d, s):
	case x.serverCompares():
		image.Labels, image.UpdatedAt = s.labels, s.written
	default:
		x.fail(fmt.Errorf("image %q in namespace %q was written again in the moment of its deletion, and this containerd does not tell what it named then: pull it or tag it again", d.Name, d.Namespace))
	}
	return image
}

// TookAlong says whether what was written last went with a deletion by the run.
// What was written later somebody else removed again.
func (x *Execution) TookAlong(d rules.Decision, s sighting) bool {
	if s.written.IsZero() {
		return false
	}
	at, answered := x.Deleted[d.Key()]
	return !answered || !s.written.After(at.Add(TellTime))
}
