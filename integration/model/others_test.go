package model

import (
	"maps"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// collect is what containerd does when it likes. What any plan says to be
// garbage is what it takes.
func (m *machine) collect() bool {
	before := m.capture()
	garbage := m.planOver(m.store, prune.Policy{}).Garbage()
	m.must(m.in("default").Collect(m.ctx))
	after := m.capture()
	if lost := oracle.DiskFreed(before, after); lost != garbage.ContentBytes {
		m.errorf("I4: a collection took %d bytes of blobs, foretold were %d", lost, garbage.ContentBytes)
	}
	if n := len(lostSnapshots(before, after)); n != garbage.Snapshots {
		m.errorf("I4: a collection took %d snapshots, foretold were %d", n, garbage.Snapshots)
	}
	return true
}

// restartStore is a restart of the daemon.
func (m *machine) restartStore() bool {
	before := m.capture()
	m.restart()
	m.same("a restart", before, m.capture())
	return true
}

// aRun is one that can be undone. If there is none, it is made.
func (m *machine) aRun() (run prune.Run, ok bool) {
	m.t.Helper()
	runs, err := prune.Runs(m.ctx, m.store, time.Now(), prune.ReadOptions{Procfs: m.procfs()})
	m.must(err)
	if len(runs) == 0 {
		if !m.pruneWithGrace() {
			return run, false
		}
		runs, err = prune.Runs(m.ctx, m.store, time.Now(), prune.ReadOptions{Procfs: m.procfs()})
		m.must(err)
	}
	if len(runs) == 0 {
		return run, false // it had nothing to remove
	}
	return pick(m.t, runs, "run"), true
}

// undo puts back what a run with a grace removed, whatever was collected since.
func (m *machine) undo() bool {
	run, ok := m.aRun()
	if !ok {
		return false
	}
	inTime := !time.Now().After(run.Until)
	m.must(m.in("default").Collect(m.ctx))
	if !inTime {
		return false // the grace is over, and was collected
	}
	g := m.graces[run.Name]
	was := g.before
	undone, err := prune.Undo(m.ctx, m.store, run, prune.ExecuteOptions{Now: time.Now})
	m.must(err)
	m.must(m.in("default").Collect(m.ctx))
	after := m.capture()
	over := g.over(after)
	// Any collection takes what it took before, or whose end has come.
	mayGo := func(namespace, name string) bool {
		return slices.Contains(was.Collectible()[namespace], name) || over[recordKey{namespace, name}]
	}
	for _, back := range undone.Restored {
		if mayGo(back.Namespace, back.Name) {
			continue
		}
		want, got := was.Namespaces[back.Namespace].Images[back.Name], after.Namespaces[back.Namespace].Images[back.Name]
		if want.Target.Digest != got.Target.Digest || !maps.Equal(want.Labels, got.Labels) {
			m.errorf("undo: %s in %s was %+v, is %+v", back.Name, back.Namespace, want, got)
		}
	}
	for _, failed := range undone.Failed {
		if failed.ReasonCode == "expired" && mayGo(failed.Namespace, failed.Name) {
			continue
		}
		if now, taken := after.Namespaces[failed.Namespace].Images[failed.Name]; !taken || now.Target.Digest == failed.Target {
			m.errorf("undo: %s in %s was not put back: %s", failed.Name, failed.Namespace, failed.Reason)
		}
	}
	g.allBack(m, undone, after)
	g.ended(undone)
	if err := oracle.CheckComplete(withoutCollectible(was), after); err != nil {
		m.errorf("undo: not whole:\n%v", err)
	}
	m.tally.add("records put back", len(undone.Restored))
	return true
}

// dropGrace drops what a grace keeps.
func (m *machine) dropGrace() bool {
	run, ok := m.aRun()
	if !ok {
		return false
	}
	before := m.capture()
	_, err := prune.Drop(m.ctx, m.store, run, prune.ExecuteOptions{Now: time.Now, Procfs: m.procfs()})
	m.must(err)
	if err := oracle.Check(withoutCollectible(before), m.capture()); err != nil {
		m.errorf("I1: dropping a grace did harm:\n%v", err)
	}
	return true
}

// pruneLeases removes the leases that nobody honours any more, after a night.
func (m *machine) pruneLeases() bool {
	time.Sleep(25 * time.Hour)
	before := m.capture()
	listed, err := prune.Leases(m.ctx, m.store, time.Now(), prune.ReadOptions{Procfs: m.procfs()})
	m.must(err)
	pruned, err := prune.PruneLeases(m.ctx, m.store, listed, prune.ExecuteOptions{Now: time.Now, Procfs: m.procfs()})
	after := m.capture()
	if _, declined := m.declined("prunings of leases", err); declined {
		m.same("I14: a pruning of leases that was declined", before, after)
		return true
	}
	m.must(err)
	for _, lease := range pruned.Removed {
		if was := before.Namespaces[lease.Namespace].Leases[lease.ID]; !was.Expired {
			m.errorf("I1: lease %s of %s was not over", lease.ID, lease.Namespace)
		}
	}
	if err := oracle.Check(withoutCollectible(before), after); err != nil {
		m.errorf("I1: pruning leases did harm:\n%v", err)
	}
	m.tally.add("leases removed", len(pruned.Removed))
	return true
}

// repair repairs what a check finds, and then there is nothing left to find.
func (m *machine) repair() bool {
	before := m.capture()
	found := m.find()
	if len(found) == 0 {
		return false
	}
	_, err := prune.Repair(m.ctx, m.store, found, prune.ExecuteOptions{Now: time.Now, Procfs: m.procfs()})
	after := m.capture()
	if stay, declined := m.declined("repairs", err); declined {
		m.same("I14: a repair that was declined", before, after)
		namespace, name := stay.Record()
		m.label(namespace, name, map[string]string{gcExpire: ""}) // as its words tell
		return m.repair()
	}
	m.must(err)
	m.noHarm("a repair", before, after)
	if left := m.find(); len(left) > 0 {
		m.errorf("left after a repair: %+v", left)
	}
	if len(interrupted(after)) == 0 {
		m.killed = nil
	}
	return true
}

// find is the public check.
func (m *machine) find() []prune.Finding {
	m.t.Helper()
	found, err := prune.Check(m.ctx, m.store, time.Now(), prune.CheckOptions{Read: prune.ReadOptions{Procfs: m.procfs()}})
	m.must(err)
	return found.Findings
}
