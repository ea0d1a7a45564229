package rules

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// siblings are the units that CRI shows as one image, such as an index and a
// manifest in it: they have one image ID, and one record of it. A unit that CRI
// shows alone is its own only sibling.
type siblings struct {
	units []*Unit
	// staying says that all are known to stay.
	staying bool
	// seen is what filters see of the records, without labels of configs.
	seen *filters.Subject
	// kept says that the names were looked through, to keep all or none.
	kept bool
}

// siblingsOf finds them for each unit, by the records of IDs.
func (c *Catalog) siblingsOf() map[*Unit]*siblings {
	of := make(map[*Unit]*siblings, len(c.Units))
	for _, u := range c.Units {
		of[u] = &siblings{units: []*Unit{u}}
	}
	for i := range c.ns.Images {
		record := &c.ns.Images[i]
		if digest.Digest(record.Name).Validate() != nil {
			continue
		}
		first := of[c.Units[record.Target.Digest]]
		for _, shown := range c.ShownAs(store.CRIImage{ID: record.Name}) {
			first = join(of, first, of[c.Units[shown.Target.Digest]])
		}
	}
	return of
}

// join makes one of two lists of siblings.
func join(of map[*Unit]*siblings, a, b *siblings) *siblings {
	switch {
	case a == b:
		return a
	case len(a.units) < len(b.units):
		a, b = b, a
	}
	a.units = append(a.units, b.units...)
	for _, u := range b.units {
		of[u] = a
	}
	return a
}
