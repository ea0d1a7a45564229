package rules

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// InUse lists the targets that somebody uses, by name, digest, ID or layers, each
// with one who does.
func (v View) InUse() map[digest.Digest]string { return v.Usage.inUse(v.Catalog) }

// Meant lists the targets that a single use means, as [View.InUse] does.
func (c *Catalog) Meant(use inventory.Use) map[digest.Digest]string {
	u := Resolve(c, []inventory.Use{use})
	return u.inUse(c)
}

func (u *usage) inUse(c *Catalog) map[digest.Digest]string {
	used := make(map[digest.Digest]string, len(u.Names)+len(u.Units))
	for target := range u.Units {
		if holders := u.holders(target); len(holders) > 0 {
			used[target] = holders[0].Holder.String()
		}
	}
	for name, users := range u.Names { // who names it is the better one to tell of
		for _, record := range c.named[name] {
			if record.Name != name {
				continue
			}
			by, known := used[record.Target.Digest]
			if text := users[0].Holder.String(); !known || text < by {
				used[record.Target.Digest] = text
			}
		}
	}
	return used
}
