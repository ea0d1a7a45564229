package prune

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
)

// usage is who uses the records and units of one namespace, in words.
type usage struct {
	// names are the holders of a record that name it.
	names map[string][]string
	// units are the holders of a unit that name it by digest or ID, or whose
	// snapshot stands on its chain.
	units map[digest.Digest][]string
	// begun are those of units of which every name counts.
	begun map[digest.Digest]bool
	// unknown are holders whose image is not in the namespace, with what they
	// call it.
	unknown []string

	// told are the holders in names and units, each as "name" and the name of
	// a record or "unit" and a target, and the holder.
	told map[[3]string]bool
}

func resolve(c *catalog, uses []Use) usage {
	u := usage{
		names: make(map[string][]string), units: make(map[digest.Digest][]string),
		begun: make(map[digest.Digest]bool), told: make(map[[3]string]bool),
	}
	for _, use := range uses {
		u.add(c, use)
	}
	return u
}

func (u usage) claim(units []*unit, holder, how string) {
	text := holder + how
	for _, unit := range units {
		key := func(holder string) [3]string { return [3]string{"unit", unit.target.String(), holder} }
		if !u.told[key(text)] && !u.told[key(holder)] {
			u.told[key(text)] = true
			u.units[unit.target] = append(u.units[unit.target], text)
		}
	}
}

// add claims what one use names. A claim by name does not replace one by
// chain: the name may have moved to another image since.
func (u *usage) add(c *catalog, use Use) {
	holder := use.Holder.String()
	named := c.record(use.Image)
	for _, record := range named {
		if key := [3]string{"name", record.Name, holder}; !u.told[key] {
			u.told[key] = true
			u.names[record.Name] = append(u.names[record.Name], holder)
		}
	}
	known := len(named) > 0
	if !known {
		byID := unitsByID(c, use.Image)
		u.claim(byID, holder, "")
		known = len(byID) > 0
	}
	for _, dgst := range use.Digests {
		byDigest := c.containing(dgst)
		u.claim(byDigest, holder, "")
		known = known || len(byDigest) > 0
	}
	stands, exact := c.chain(use.Snapshot)
	if exact || !known {
		u.claim(stands, holder, standsOn)
	}
	for _, unit := range stands {
		u.begun[unit.target] = u.begun[unit.target] || use.Begun
	}
	if !known && len(stands) == 0 && !use.Begun {
		u.unknown = append(u.unknown, unknownHolder(holder, use.Image))
	}
}

// unitsByID finds what a text that is no record's name means as a digest, a
// name with a digest, an image ID or the beginning of one.
func unitsByID(c *catalog, text string) []*unit {
	if text == "" {
		return nil
	}
	if dgst := digest.Digest(text); dgst.Validate() == nil {
		return c.containing(dgst)
	}
	if _, after, ok := strings.Cut(text, "@"); ok {
		if dgst := digest.Digest(after); dgst.Validate() == nil {
			return c.containing(dgst)
		}
	}
	return c.prefixed(text)
}

func unknownHolder(holder, image string) string {
	if image == "" {
		return fmt.Sprintf("%s names no image and stands on none", holder)
	}
	return fmt.Sprintf("%s uses image %q, which is not in the store", holder, image)
}
