package run

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// writeDown writes down what the run is to remove from a namespace. What cannot
// be written down could not be put back, and is left alone.
func (x *Execution) writeDown(ctx context.Context, b *plan.Batch) error {
	hold := func(doc []byte, targets []digest.Digest) error {
		held, err := lock.Hold(ctx, x.Store.Content(), doc, targets)
		x.holdings[b.Namespace.Name] = append(x.holdings[b.Namespace.Name], held)
		return err
	}
	namespaces := make([]string, len(x.Batches))
	for i, batch := range x.Batches {
		namespaces[i] = batch.Namespace.Name
	}
	left, err := journal.WritePlan(x.run, b.Namespace.Name, namespaces, ToWrite(*b), x.plan.Outcome.Orphans, hold)
	if err != nil {
		return err
	}
	x.Leave(b, left)
	return nil
}

// Leave takes records out of a batch. CRI keeps the names of an image together.
func (x *Execution) Leave(b *plan.Batch, left map[int]error) {
	stays := make(map[digest.Digest]string)
	var written []rules.Decision
	for i, d := range b.Records {
		if why := left[i]; why != nil {
			x.Report.skip(d, cause.Plainly(cause.CodeOf(why)))
			stays[d.Target.Digest] = d.Name
		} else {
			written = append(written, d)
		}
	}
	b.Records = slices.DeleteFunc(written, func(d rules.Decision) bool {
		name, found := stays[d.Target.Digest]
		if found = found && b.Namespace.Name == store.CRINamespace; found {
			x.Report.skip(d, cause.Because(cause.CodeTogether, cause.Parts{Image: name}))
		}
		return found
	})
}

// ToWrite is what is written down of the records of a batch.
func ToWrite(b plan.Batch) []journal.PlanRecord {
	records := make([]journal.PlanRecord, len(b.Records))
	for i, d := range b.Records {
		records[i] = journal.PlanRecord{
			Name: d.Name, Target: d.Target, Labels: d.Image.Labels,
			CreatedAt: d.Image.CreatedAt, UpdatedAt: d.Image.UpdatedAt, StandIn: d.StandIn,
			Subject: b.Namespace.Subjects[d.Target.Digest],
		}
	}
	return records
}

// DecisionsOf returns the records of an earlier run as if they were to be removed
// again.
func DecisionsOf(p journal.PastPlan) []rules.Decision {
	all := make([]rules.Decision, len(p.Records))
	for i, r := range p.Records {
		all[i] = rules.Decision{
			Namespace: p.Namespace, Name: r.Name, Target: r.Target, Action: rules.Remove, StandIn: r.StandIn,
			Image: r.Image(), Subject: r.Subject,
		}
	}
	return all
}
