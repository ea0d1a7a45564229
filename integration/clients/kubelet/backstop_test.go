//go:build cluster

package kubelet_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
)

// backstop fills the disk further without a resident: the kubelet removes what no container uses, and
// may evict a pod, as it does without us.
func (n *node) backstop() {
	n.t.Helper()
	n.fillTo(evicts)
	before := n.metric(collected)
	n.Await("the kubelet to make room", func(context.Context) (bool, error) { return n.used() < evicts && n.metric(collected) > before, nil })
	n.wantIntact()
}

// period is longer than the time from one collection of the kubelet's to the next, which is five
// minutes. The first, when it starts, fails: it does not know of the disk yet.
const period = 7 * time.Minute

// collects fills the disk to the mark of the kubelet's collection, and waits for that.
func (n *node) collects() {
	n.t.Helper()
	n.fillTo(gcHigh)
	n.AwaitWithin(period, "the kubelet to collect images", func(context.Context) (bool, error) { return n.used() <= gcLow && n.metric(collected) > 0, nil })
	n.wantIntact()
	if count := n.metric("kubelet_evictions"); count != 0 {
		n.t.Errorf("the kubelet has evicted %v pods before its mark", count)
	}
}

// fillTo fills the disk up to a mark, and not much further.
func (n *node) fillTo(mark int) {
	n.t.Helper()
	for i := 0; n.used() <= mark; i++ {
		size := largeBytes
		if n.used() > mark-10 {
			size = smallBytes
		}
		n.large(fmt.Sprintf("more-%d-%d", mark, i), size)
	}
}

// wantIntact waits until CRI lists what is there, the kubelet may still remove something, and fails
// the test if something was missing for the kubelet, or for a container that runs.
func (n *node) wantIntact() {
	n.t.Helper()
	n.Await("CRI to list what is in the store", func(context.Context) (bool, error) {
		stored, listed := n.lists()
		return cmp.Equal(n.reposOf(stored), n.reposOf(listed)), nil
	})
	n.wantNoErrors()
	for name, c := range n.running() {
		if found, err := n.Status(n.t.Context(), c.GetImage().GetImage()); found == nil || err != nil {
			n.t.Errorf("the image of %s is gone: %v", name, err)
		}
	}
}
