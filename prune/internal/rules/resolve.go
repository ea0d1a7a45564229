package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// usage is who uses the records and units of one namespace.
type usage struct {
	// Names are the holders of a record that name it.
	Names map[string][]cause.User
	// Units are the claims on a unit by digest or ID, or of what has its
	// snapshot on its chain.
	Units map[digest.Digest][]*claim
	// begun are those of units of which every name counts.
	begun map[digest.Digest]bool
	// Unknown tells of holders whose image is not in the namespace.
	Unknown []cause.Cause

	// told are the holders in names, each after the name.
	told   map[[2]string]bool
	claims map[sought]*claim
	count  int
	// guesses are the claims of which any unit is enough.
	guesses []*claim
	// begunOn are the snapshots of which begun has the units, overlaps what was found
	// out about words and snapshots.
	begunOn  map[inventory.SnapshotKey]bool
	overlaps map[overlap]bool
	// ids are the units that texts mean as the beginning of an ID.
	ids map[string][]*Unit
	// merged are the holders of units with several claims.
	merged map[digest.Digest][]cause.User
}

// sought is what a list of units was found by: a blob that they reach, the
// snapshot that their chains end in, or the beginning of an ID. A list of one
// unit counts as found by its target, however it was.
type sought struct {
	blob digest.Digest
	top  inventory.SnapshotKey
	id   string
	// any says that one of the units is enough: see [claim.units].
	any bool
}

// claim is what holds a list of units. Thousands of containers may stand on
// what thousands of images share: each is noted once, and not for each image.
type claim struct {
	// holders are in the order of their claims, users the same without these.
	holders []claimant
	users   []cause.User
	told    map[string]bool
	// units are set if nothing tells which of them the holders use, because all
	// are on the chain of their snapshots. Where one of them stays by a name
	// anyway, the others are not needed.
	units []*Unit
}

// claimant is a holder, what it is called and what is told of it, and the number
// of its claim. Two that are told of alike are one.
type claimant struct {
	cause.User
	holder, text string
	at           int
}

// Resolve finds the records and units of a namespace that the uses mean.
func Resolve(c *Catalog, uses []inventory.Use) usage {
	unknown := newUnknown()
	u := usage{
		Names: make(map[string][]cause.User), Units: make(map[digest.Digest][]*claim),
		begun: make(map[digest.Digest]bool), begunOn: make(map[inventory.SnapshotKey]bool), overlaps: make(map[overlap]bool), told: make(map[[2]string]bool),
		claims: make(map[sought]*claim), merged: make(map[digest.Digest][]cause.User), ids: make(map[string][]*Unit),
	}
	for _, use := range uses {
		if !u.add(c, use) {
			unknown.add(use)
		}
	}
	u.Unknown = unknown.notes()
	return u
}

// hold notes a holder of units.
func (u *usage) hold(by sought, units []*Unit, who cause.User, holder string) {
	if len(units) == 0 {
		return
	}
	c := u.on(by, units)
	text := who.String()
	if !c.told[text] && !c.told[holder] {
		c.told[text] = true
		u.count++
		c.holders, c.users = append(c.holders, claimant{who, holder, text, u.count}), append(c.users, who)
	}
}

// on returns the claim on units, a new one if there is none.
func (u *usage) on(by sought, units []*Unit) *claim {
	if len(units) == 1 {
		by = sought{blob: units[0].Target, any: by.any}
	}
	c := u.claims[by]
	if c == nil {
		c = &claim{told: make(map[string]bool)}
		if by.any {
			c.units = units
			u.guesses = append(u.guesses, c)
		}
		u.claims[by] = c
		for _, unit := range units {
			u.Units[unit.Target] = append(u.Units[unit.Target], c)
		}
	}
	return c
}

// holders lists who holds a unit, in the order of their claims, each once.
func (u *usage) holders(target digest.Digest) []cause.User {
	claims := u.Units[target]
	switch len(claims) {
	case 0:
		return nil
	case 1:
		return claims[0].users
	}
	users, known := u.merged[target]
	if known {
		return users
	}
	var all []claimant
	for _, c := range claims {
		all = append(all, c.holders...)
	}
	slices.SortFunc(all, func(a, b claimant) int { return cmp.Compare(a.at, b.at) })
	told := make(map[string]bool, len(all))
	for _, c := range all {
		if !told[c.text] && !told[c.holder] {
			told[c.text] = true
			users = append(users, c.User)
		}
	}
	u.merged[target] = users
	return users
}

// Users lists who uses a record of that name or what it points at, sorted. One
// that stands on the image and names it is told of once.
func (u *usage) Users(name string, targets []digest.Digest) []string {
	var users []string
	for _, by := range u.Names[name] {
		users = append(users, by.String())
	}
	var claimants []claimant
	for _, target := range targets {
		for _, c := range u.Units[target] {
			claimants = append(claimants, c.holders...)
		}
	}
	plain := make(map[string]bool)
	for _, user := range users {
		plain[user] = true
	}
	for _, c := range claimants {
		plain[c.holder] = plain[c.holder] || c.text == c.holder
	}
	for _, c := range claimants {
		if c.text == c.holder || !plain[c.holder] {
			users = append(users, c.text)
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// add claims what one use names. What a record or a client says of the image
// of a snapshot is the whole truth if it fits the snapshot: other images on the
// same layers are not used. If it does not fit, because a name has moved to
// another image since, what the snapshot is based on is used, too. It says whether
// the image is known, or need not be.
func (u *usage) add(c *Catalog, use inventory.Use) bool {
	holder := use.Holder.String()
	known, lasting := u.said(c, use, holder)
	s := c.chain(use.Snapshot)
	stands := s.units
	if !u.fits(lasting, s) && (use.Told || s.exact || !known) {
		u.hold(sought{top: s.top, any: !use.Begun}, stands, cause.User{Holder: use.Holder, ByChain: true}, holder)
	}
	if use.Begun && !u.begunOn[s.top] {
		u.begunOn[s.top] = true
		for _, unit := range stands {
			u.begun[unit.Target] = true
		}
	}
	none := use.Told && use.Image == "" && len(use.Digests) == 0
	return known || len(stands) > 0 || use.Begun || use.Absent || none
}

// meaning are the units that a word about an image may mean, and what was sought
// to find them.
type meaning struct {
	sought
	units []*Unit
}

// said claims what a holder, or its client, says that it uses. It returns whether
// that means anything, and what it means but for names that will expire.
func (u *usage) said(c *Catalog, use inventory.Use, holder string) (known bool, lasting []meaning) {
	for _, record := range c.record(use.Image) {
		if key := [2]string{record.Name, holder}; !u.told[key] {
			u.told[key] = true
			u.Names[record.Name] = append(u.Names[record.Name], cause.User{Holder: use.Holder})
		}
		known = true
		if !gc.Expires(record) {
			target := record.Target.Digest
			lasting = append(lasting, meaning{sought{blob: target}, []*Unit{c.Units[target]}})
		}
	}
	digests := use.Digests
	if dgst, ok := digestOf(use.Image); !known && ok {
		digests = append([]digest.Digest{dgst}, digests...)
	} else if !known {
		byID, asked := u.ids[use.Image]
		if !asked {
			byID = c.prefixed(use.Image)
			u.ids[use.Image] = byID
		}
		by := sought{id: use.Image}
		u.hold(by, byID, cause.User{Holder: use.Holder}, holder)
		if len(byID) > 0 {
			known, lasting = true, append(lasting, meaning{by, byID})
		}
	}
	for _, dgst := range digests {
		byDigest := c.Containing(dgst)
		by := sought{blob: dgst}
		u.hold(by, byDigest, cause.User{Holder: use.Holder}, holder)
		if len(byDigest) > 0 {
			known, lasting = true, append(lasting, meaning{by, byDigest})
		}
	}
	return known, lasting
}

// overlap is what was sought and a snapshot on which something is based.
type overlap struct {
	word sought
	base inventory.SnapshotKey
}

// fits says whether what is said of an image is among what the snapshot is based
// on, whose units are sorted. A word that does not fit cancels nothing. Thousands
// of uses may stand on one snapshot of thousands of images, and mean the same.
func (u *usage) fits(word []meaning, s stand) bool {
	return slices.ContainsFunc(word, func(m meaning) bool {
		both := overlap{m.sought, s.top}
		common, known := u.overlaps[both]
		if !known {
			common = slices.ContainsFunc(m.units, func(unit *Unit) bool { return isAmong(s.units, unit) })
			u.overlaps[both] = common
		}
		return common
	})
}

// isAmong says whether a unit is in a sorted list.
func isAmong(sorted []*Unit, unit *Unit) bool {
	_, found := slices.BinarySearchFunc(sorted, unit, compareUnits)
	return found
}

// digestOf returns the digest that a text is, or that ends it as in
// name@digest.
func digestOf(text string) (digest.Digest, bool) {
	if _, after, ok := strings.Cut(text, "@"); ok {
		text = after
	}
	dgst := digest.Digest(text)
	return dgst, dgst.Validate() == nil
}
