package run

import (
	"errors"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// fail notes an error, once, and goes on. The code is for an error that has none.
func (x *Execution) fail(code cause.Code, err error) {
	if err != nil {
		x.addError(err, cause.Failed(code, err))
	}
}

// failOn notes an error about one record.
func (x *Execution) failOn(code cause.Code, d rules.Decision, err error) {
	if err != nil {
		c := cause.Failed(code, err)
		c.ReasonParts = &cause.Parts{Namespace: d.Namespace, Image: d.Name}
		x.addError(err, c)
	}
}

// failRefused notes the namespaces that a plan made during the run leaves alone
// and the run's own did not, such as one whose snapshotter has stopped answering.
func (x *Execution) failRefused(now *plan.Plan) {
	for _, r := range now.Refused {
		known := slices.ContainsFunc(x.plan.Refused, func(before plan.Refusal) bool { return before.Namespace == r.Namespace })
		if !known && slices.ContainsFunc(x.Batches, func(b plan.Batch) bool { return b.Namespace.Name == r.Namespace }) {
			x.addError(r, cause.Cause{Reason: r.Error(), ReasonCode: r.ReasonCode, ReasonParts: r.ReasonParts})
		}
	}
}

func (x *Execution) addError(err error, c cause.Cause) {
	if _, told := x.Told[c.Reason]; told {
		return
	}
	x.Told[c.Reason] = struct{}{}
	x.Errs = append(x.Errs, err)
	x.Report.Errors = append(x.Report.Errors, c)
}

func (x *Execution) err() error { return errors.Join(x.Errs...) }
