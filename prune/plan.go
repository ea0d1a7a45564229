package prune

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Policy says what a run may remove. The zero value removes nothing, because it
// names no namespace.
type Policy = rules.Policy

// PolicyError says that a policy cannot be applied to the store. Nothing was
// changed.
type PolicyError = rules.PolicyError

// Selection is what a plan file allows to be removed: exactly its records, as
// they were when the plan was made.
type Selection = rules.Selection

// ParseSelection reads a plan [Document] in JSON. The error is a *[PolicyError]
// if the text is not one.
func ParseSelection(r io.Reader) (*Selection, error) {
	return rules.ParseSelection(r)
}

// OpenPlanFile opens a plan file for [ParseSelection], and refuses one that anybody
// except root, the user of this process and the given user IDs could have written
// or replaced, because its content decides what is removed; insecure accepts it.
// The error then has the code plan-file-untrusted. Reading ends with the context,
// because the file may be a pipe that nobody writes to.
func OpenPlanFile(ctx context.Context, path string, insecure bool, users ...int) (io.ReadCloser, error) {
	f, err := trust.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	if insecure {
		return f, nil
	}
	if err := trust.Self().And(users...).File(f.File); err != nil {
		_ = f.Close() // nothing was read
		if refused, ok := errors.AsType[*trust.Refusal](err); ok {
			return nil, &CodeError{Code: "plan-file-untrusted", Err: refused}
		}
		return nil, err
	}
	return f, nil
}

// NewPlan decides what is removed and why the rest is kept. It is a pure
// function: the same inventory, policy and time give the same plan. The error
// is a *[PolicyError].
func NewPlan(inv *Inventory, policy Policy, now time.Time) (*Plan, error) {
	return plan.NewPlan(inv, policy, now)
}

// ReadPlan is the flow up to the plan: it reads the store, decides by the
// policy, and measures the sizes that the plan shows. The error may be a
// *[PolicyError].
func ReadPlan(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions) (*Plan, error) {
	return flow.ReadPlan(ctx, store, policy, now, opts)
}

// Plan is what a run will do. Only [NewPlan] and [ReadPlan] create one, and
// [Execute] carries it out. Do not change its fields.
type Plan = plan.Plan

// Decision is what a plan does with one record, and why.
type Decision = rules.Decision

// Action is what a plan does with a record.
type Action = rules.Action

// The actions. Every record of a pruned namespace has exactly one.
const (
	// Remove means that the record is removed.
	Remove = rules.Remove
	// Keep means that the record is kept.
	Keep = rules.Keep
	// StandIn means that the record is removed and a dangling record takes its
	// place, because its target is in use and has no other record left.
	StandIn = rules.StandIn
)

// Upload is what a plan does with an unfinished upload, an ingest.
type Upload = plan.Upload

// Held is a blob or snapshot of a removed image that will not be freed, and
// why.
type Held = plan.Held

// CompareNames puts the names of an image in order, the one that people know best
// first: one with a tag, then one with a digest, then an ID, then one that stands for
// no name.
func CompareNames(a, b string) int { return rules.CompareNames(a, b) }

// Refusal says that nothing is removed from a namespace, and why.
type Refusal = plan.Refusal

// Skip is a planned record that the run did not change, and why.
type Skip = rules.Skip
