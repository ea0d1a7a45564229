package prune

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Policy says what a run may remove. The zero value removes nothing, for it
// names no namespace.
type Policy = rules.Policy

// PolicyError says that a policy does not fit the store; nothing was changed.
type PolicyError = rules.PolicyError

// Selection is what a plan file allows to be removed: exactly those records,
// as they were when the plan was made.
type Selection = rules.Selection

// ParseSelection reads a plan document, as `--format json` of a dry run writes
// it. The error is a *[PolicyError] if it is not one.
func ParseSelection(r io.Reader) (*Selection, error) {
	return rules.ParseSelection(r)
}

// TrustFile refuses an open file, such as a plan's, if somebody else than root, the
// user of this process and the given users may have written or replaced it: what is
// in it decides what goes. The error then has the code plan-file-untrusted. Any
// other error means that this cannot be told.
func TrustFile(f *os.File, users ...int) error {
	err := trust.Self().And(users...).File(f)
	if refused, ok := errors.AsType[*trust.Refusal](err); ok {
		return &CodeError{Code: "plan-file-untrusted", Err: refused}
	}
	return err
}

// NewPlan decides what goes and why the rest stays. It is a pure function: the
// same inventory, policy and time give the same plan. The error is a
// *[PolicyError].
func NewPlan(inv *Inventory, policy Policy, now time.Time) (*Plan, error) {
	return plan.NewPlan(inv, policy, now)
}

// ReadPlan is the flow up to the plan: it reads the store, decides by the
// policy, and measures what the plan tells of. The error may be a
// *[PolicyError].
func ReadPlan(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions) (*Plan, error) {
	return flow.ReadPlan(ctx, store, policy, now, opts)
}

// Plan is what a run will do, decided once. Only [NewPlan] and
// [ReadPlan] make one; [Execute] does it. Its fields are to be read only.
type Plan = plan.Plan

// Decision is what a plan does with one record, and why.
type Decision = rules.Decision

// Action is what a plan does with a record.
type Action = rules.Action

// The actions. Every record of a pruned namespace has exactly one.
const (
	// Remove means: the record goes.
	Remove = rules.Remove
	// Keep means: the record stays.
	Keep = rules.Keep
	// StandIn means: the record goes and a dangling one takes its place, because
	// its target is in use and has no other record left.
	StandIn = rules.StandIn
)

// Upload is what a plan does with an unfinished upload, an ingest.
type Upload = plan.Upload

// Held is a blob or snapshot of a removed image that stays, and why.
type Held = plan.Held

// Going is an image that a plan removes, by one of its names.
type Going = plan.Going

// Refusal says that nothing is removed from a namespace, and why.
type Refusal = plan.Refusal

// Skip is a planned record that was left alone.
type Skip = rules.Skip

// StayError says that a record which is to stay would not outlast a garbage
// collection: it has expired, and nothing that stays leads to it. Nothing is
// removed then, in no namespace, because a collection is one for all.
type StayError = plan.StayError
