package rules

import (
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
)

// without returns the usage without some of its guesses.
func (u usage) without(guesses map[*claim]bool) usage {
	if len(guesses) == 0 {
		return u
	}
	u.Units, u.merged = maps.Clone(u.Units), make(map[digest.Digest][]cause.User)
	done := make(map[*Unit]bool)
	for c := range guesses {
		for _, unit := range c.units {
			if done[unit] {
				continue
			}
			done[unit] = true
			left := slices.DeleteFunc(slices.Clone(u.Units[unit.Target]), func(c *claim) bool { return guesses[c] })
			if u.Units[unit.Target] = left; len(left) == 0 {
				delete(u.Units, unit.Target)
			}
		}
	}
	return u
}

// settleGuesses leaves out the claims on any image of a chain of which one stays
// by a name for another reason. What that reason is must not depend on such a
// claim, or two images would each be removed because of the other.
func (j *Judge) settleGuesses() {
	all := j.Usage
	if len(all.guesses) == 0 {
		return
	}
	guesses := make(map[*claim]bool, len(all.guesses))
	for _, c := range all.guesses {
		guesses[c] = true
	}
	j.Usage = all.without(guesses)
	maps.DeleteFunc(guesses, func(c *claim, _ bool) bool { return !slices.ContainsFunc(c.units, j.independent) })
	j.Usage, j.byName = all.without(guesses), make(map[*Unit]bool)
}

// independent says whether a unit stays by a name, and not only as long as what
// it is about.
func (j *Judge) independent(u *Unit) bool { return j.staysByName(u) && len(j.About(u)) == 0 }

// staysByName says whether a record of a unit is kept that is not dangling, and
// that containerd will not remove at some time. That a run does not remove it says
// nothing: it may stay only as part of what it is asked about.
func (j *Judge) staysByName(u *Unit) bool {
	policy := j.policy
	for s := policy.Selection; s != nil && s.made != nil; s = policy.Selection {
		policy = *s.made
	}
	stays, known := j.byName[u]
	if !known {
		stays = slices.ContainsFunc(u.Records, func(r *images.Image) bool {
			return !j.dangling(r) && !gc.Expires(r) && j.alone(u, r, policy).Action == Keep
		})
		j.byName[u] = stays
	}
	return stays
}
