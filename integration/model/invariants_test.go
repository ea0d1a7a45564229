package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune"
)

// check holds after every step.
func (m *machine) check() {
	m.t.Helper()
	plan := m.planOver(m.store, everything())
	if len(plan.Interrupted()) == 0 {
		m.killed = nil
	}
	frees := sum(plan.Predicted(), plan.Garbage())
	// Where records hang on others, one that lives by the new root may let
	// another go; so may a name that stays by the new root, of an image that is
	// on the chain of a container which may have been made from any of several.
	if m.rootAdded && !m.tied && m.freesMore(frees) && !m.capture().Unsure() {
		m.errorf("I9: there is more in use, and more would go: %+v, before %+v", frees, m.frees)
	}
	// What a plan that is not executed would free is no measure.
	if m.frees, m.rootAdded = frees, false; len(plan.Refused) > 0 {
		m.frees = endless
	}
	if oneIn(m.t, 4, "look") {
		m.onlyPlantedProblems()
	}
}

func (m *machine) freesMore(now prune.Amount) bool {
	return now.Blobs > m.frees.Blobs || now.Snapshots > m.frees.Snapshots ||
		now.ContentBytes > m.frees.ContentBytes || now.SnapshotBytes > m.frees.SnapshotBytes
}

// endless is more than any store has.
var endless = prune.Amount{Blobs: math.MaxInt, Snapshots: math.MaxInt, ContentBytes: math.MaxInt64, SnapshotBytes: math.MaxInt64}

func sum(a, b prune.Amount) prune.Amount {
	a.Blobs += b.Blobs
	a.Snapshots += b.Snapshots
	a.ContentBytes += b.ContentBytes
	a.SnapshotBytes += b.SnapshotBytes
	a.TotalBytes += b.TotalBytes
	return a
}

// everyRecordOnce checks that each record of the pruned namespaces has one
// action with a reason, and that no other has.
func (m *machine) everyRecordOnce(inv *prune.Inventory, policy prune.Policy, plan *prune.Plan) {
	m.t.Helper()
	decided := map[[2]string]int{}
	for _, d := range plan.Decisions {
		decided[[2]string{d.Namespace, d.Name}]++
		sense := d.Action == prune.Keep || d.Action == prune.Remove || d.Action == prune.StandIn
		if d.Reason == "" || !sense || (d.Action == prune.StandIn) != (d.StandIn != "") {
			m.errorf("I10: %+v", d)
		}
	}
	for _, ns := range inv.Namespaces {
		for _, image := range ns.Images {
			if key := [2]string{ns.Name, image.Name}; policy.AllNamespaces || slices.Contains(policy.Namespaces, ns.Name) {
				if decided[key] != 1 {
					m.errorf("I10: %d decisions about %s in %s", decided[key], image.Name, ns.Name)
				}
				delete(decided, key)
			}
		}
	}
	if len(decided) > 0 {
		m.errorf("I10: decisions about what is not there: %v", decided)
	}
}

// planted are the problems that a step may leave in a store: what expires,
// what is dropped, what was killed. No step leaves an image that is not whole,
// nor the file of a blob that containerd has forgotten. A snapshot of a container
// that was removed is forgotten if containerd ends before it collects.
var planted = []prune.Problem{
	prune.ProblemForgottenFiles, prune.ProblemGarbage, prune.ProblemUnowned, prune.ProblemExpired, prune.ProblemOldUpload, prune.ProblemInterrupted,
}

func (m *machine) onlyPlantedProblems() {
	m.t.Helper()
	for _, f := range m.find() {
		if !slices.Contains(planted, f.Problem) || f.Problem == prune.ProblemInterrupted && m.killed == nil {
			m.errorf("found: %+v", f)
		}
	}
}

func describe(plan *prune.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "garbage %+v", plan.Garbage())
	for _, d := range plan.Decisions {
		if d.Action != prune.Keep {
			fmt.Fprintf(&b, "\n%s %s: %s: %s", d.Namespace, d.Name, d.Action, d.Reason)
		}
	}
	return b.String()
}
