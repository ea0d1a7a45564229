package prune

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// writeDown writes down what the run is to remove from a namespace. What cannot
// be written down could not be put back, and is left alone.
func (x *execution) writeDown(ctx context.Context, b *batch) error {
	hold := func(doc []byte, targets []digest.Digest) error {
		return leases.Hold(ctx, x.store.Content(), doc, targets)
	}
	left, err := writePlan(x.run, b.ns.Name, b.toWrite(), x.plan.outcome.orphans, hold)
	if err != nil {
		return err
	}
	x.leave(b, left)
	return nil
}

// leave takes records out of a batch. CRI keeps the names of an image together.
func (x *execution) leave(b *batch, left map[int]error) {
	stays := make(map[digest.Digest]string)
	var written []Decision
	for i, d := range b.records {
		if why := left[i]; why != nil {
			x.report.skip(d, plainly(CodeOf(why)))
			stays[d.Target.Digest] = d.Name
		} else {
			written = append(written, d)
		}
	}
	b.records = slices.DeleteFunc(written, func(d Decision) bool {
		name, found := stays[d.Target.Digest]
		if found = found && b.ns.Name == criNamespace; found {
			x.report.skip(d, because(codeTogether, parts{Image: name}))
		}
		return found
	})
}

// toWrite is what is written down of the records of a batch.
func (b batch) toWrite() []planRecord {
	records := make([]planRecord, len(b.records))
	for i, d := range b.records {
		records[i] = planRecord{
			Name: d.Name, Target: d.Target, Labels: d.image.Labels,
			CreatedAt: d.image.CreatedAt, UpdatedAt: d.image.UpdatedAt, StandIn: d.StandIn,
			Subject: b.ns.Subjects[d.Target.Digest],
		}
	}
	return records
}

// decisionsOf returns the records of an earlier run as if they were to be removed
// again.
func decisionsOf(p pastPlan) []Decision {
	all := make([]Decision, len(p.records))
	for i, r := range p.records {
		all[i] = Decision{
			Namespace: p.namespace, Name: r.Name, Target: r.Target, Action: Remove, StandIn: r.StandIn,
			image: r.image(), subject: r.Subject,
		}
	}
	return all
}
