package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
)

// Explain reads the store and tells about the object that the text names, with
// the decisions that a prune by the policy would make. Only the snapshots that
// the answer tells of are measured. The error may be a *[PolicyError] or an
// *[AmbiguousError].
func Explain(ctx context.Context, store Store, text string, policy Policy, now time.Time, opts ReadOptions) (*Explanation, error) {
	return explain.Explain(ctx, store, text, policy, now, opts)
}

// Explanation says what an object is, who holds it and what a prune does.
type Explanation = explain.Explanation

// Part is something that an explained object refers to, with what that refers
// to in turn.
type Part = explain.Part

// AmbiguousError says that a text names several objects.
type AmbiguousError = explain.AmbiguousError
