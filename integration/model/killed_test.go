package model

import (
	"maps"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// kill ends the process of a run at some call. What it was about to remove is
// all still there, through any collection, until its lease expires.
func (m *machine) kill() bool {
	m.must(m.in("default").Collect(m.ctx)) // what is garbage may go at any moment
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	first := m.killed == nil
	if m.killAt(r) && first && !r.store.freed && len(r.store.released) == 0 {
		r.nothingLost()
	}
	if oneIn(m.t, 2, "the store, too") {
		m.restart()
	}
	return true
}

// killAt executes until a call that is not answered. It says whether the run
// came so far.
func (m *machine) killAt(r *run) bool {
	r.execute(m.ctx, 1+uniform(m.t, 160, "killed at"), func() error { return errKilled })
	if r.store.down == nil {
		r.finished()
		return false
	}
	m.boots++
	m.tally.add("kills", 1)
	m.leftBy(r)
	return true
}

// leftBy notes what a run leaves to the next that has not come to its end.
func (m *machine) leftBy(r *run) {
	m.t.Helper()
	lost := m.withKilled(r.before)
	for name, ns := range m.capture().Namespaces {
		maps.DeleteFunc(lost.Namespaces[name].Images, func(image string, record images.Image) bool {
			_, left := ns.Images[image]
			return left || r.store.released[recordKey{name, record.Target.Digest.String()}]
		})
	}
	whole := !r.store.freed && (m.killed == nil || m.killed.whole)
	m.killed = &killed{lost: lost, whole: whole, until: time.Now().Add(time.Hour)}
}

// killAndRerun kills a run and runs it again, and compares the store with a
// twin in which nobody was killed.
func (m *machine) killAndRerun() bool {
	if m.killed != nil {
		return false
	}
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	want := m.undisturbedTwin(r)
	m.killAt(r)
	if oneIn(m.t, 2, "collected meanwhile") {
		m.must(m.in("default").Collect(m.ctx))
	}
	again := m.newRunOf(r.policy, r.store.daemon)
	if !again.plan.Empty() {
		again.execute(m.ctx, 0, nil)
		again.finished()
	}
	m.must(m.in("default").Collect(m.ctx))
	m.same("I6: killed and run again", want, m.capture())
	return true
}

// undisturbedTwin runs the same on a copy of the store, and returns what that
// leaves after a collection.
func (m *machine) undisturbedTwin(r *run) *oracle.State {
	m.t.Helper()
	root := filepath.Join(m.dir, m.next("twin"))
	m.must(copyTree(m.root, root))
	store, err := prune.OpenRoot(m.ctx, root)
	m.must(err)
	defer func() { m.must(store.Close()) }()
	client, err := imagestore.Over(store, snapshotter)
	m.must(err)
	w := &watched{Store: store, m: m, daemon: r.store.daemon}
	plan := m.planOver(w, r.policy)
	_, err = prune.Execute(m.ctx, w, plan, r.opts)
	m.must(err)
	twin := imagestore.Store{Client: client, Namespace: "default", Snapshotter: snapshotter}
	m.must(twin.Collect(m.ctx))
	return m.captureOf(store, client, root)
}

// nothingLost collects and fails the test if anything went with it. There was
// no garbage when the run began.
func (r *run) nothingLost() {
	m := r.m
	m.t.Helper()
	m.must(m.in("default").Collect(m.ctx))
	left := m.capture()
	lost := lostContent(r.before, left)
	if !r.store.unlabelled { // what only build history holds may lose its snapshots by now
		lost = append(lost, lostSnapshots(r.before, left)...)
	}
	if len(lost) > 0 {
		m.errorf("I7: the run that was killed at call %d has lost %v", r.store.calls, lost)
	}
}
