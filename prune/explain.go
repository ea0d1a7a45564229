package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
)

// Explain reads the store and describes the object that text names: an image, a
// digest, a snapshot, a container. It includes the decisions that a prune with
// this policy would make. Only the snapshots in the answer are measured. The
// error may be a *[PolicyError] or an *[AmbiguousError].
func Explain(ctx context.Context, store Store, text string, policy Policy, now time.Time, opts ReadOptions) (*Explanation, error) {
	return explain.Explain(ctx, store, text, policy, now, opts)
}

// Explanation says what an object is, who holds it and what a prune would do
// with it.
type Explanation = explain.Explanation

// Part is something that an explained object refers to, with what that refers
// to in turn.
type Part = explain.Part

// AmbiguousError says that a text matches several objects, and lists them.
type AmbiguousError = explain.AmbiguousError
