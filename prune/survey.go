package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/survey"
)

// ReadSurvey reads the store and lays it out for a person who picks images by hand. The
// filters of the policy do not matter. The error may be a *[PolicyError].
func ReadSurvey(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions) (*Survey, error) {
	return survey.Read(ctx, store, policy, now, opts)
}

// Survey knows of any set of images, in milliseconds, what removing them frees and who
// holds what that does not free; and it makes the policy that removes just them.
type Survey = survey.Survey

// Picked is what becomes of images that somebody picks: what a plan by
// [Survey.Policy] says, without making one.
type Picked = survey.Picked

// Group is what the images of a group hold together.
type Group = survey.Group
