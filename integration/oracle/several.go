package oracle

import (
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Unsure says whether there is a container that may have run from any of several
// images, since its record names none of them.
func (s *State) Unsure() bool {
	for _, ns := range s.Namespaces {
		known := s.identify(ns)
		for _, c := range ns.Containers {
			for _, u := range known.uses(c) {
				if u.name == "" && len(u.targets) > 1 {
					return true
				}
			}
		}
	}
	return false
}

// OneOf gives the targets that CRI shows as one image, because one ID, of which
// there is a record, is in all of them, one of these targets.
func (s *State) OneOf(namespace string) map[digest.Digest]digest.Digest {
	ns := s.Namespaces[namespace]
	known, one := s.identify(ns), map[digest.Digest]digest.Digest{}
	for _, img := range ns.Images {
		one[img.Target.Digest] = img.Target.Digest
	}
	for _, name := range slices.Sorted(maps.Keys(ns.Images)) {
		if digest.Digest(name).Validate() != nil {
			continue
		}
		to := one[ns.Images[name].Target.Digest]
		for target := range known.ids[digest.Digest(name)] {
			from := one[target]
			for d, of := range one {
				if of == from {
					one[d] = to
				}
			}
		}
	}
	return one
}
