package oracle

import (
	"maps"
	"slices"
	"time"
)

// Collectible lists, by namespace, the records that any collection takes: their
// time is over, and nothing that it honours leads to them.
func (s *State) Collectible() map[string][]string {
	out := map[string][]string{}
	if s.major() < 2 {
		return out // its collector leaves records alone
	}
	for ns, n := range s.Namespaces {
		reached := newGraph(s, n, n, s.At).walk(s.roots(n))
		for _, name := range slices.Sorted(maps.Keys(n.Images)) {
			held := imageNode(name)
			flat := held
			flat.flat = true
			if expired(n.Images[name].Labels, s.At) && !reached[held] && !reached[flat] {
				out[ns] = append(out[ns], name)
			}
		}
	}
	return out
}

// Over says whether the collector honours a lease no more at a moment.
func (l Lease) Over(at time.Time) bool { return expired(l.Labels, at) }
