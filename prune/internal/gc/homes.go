package gc

import (
	"iter"

	"github.com/opencontainers/go-digest"
)

// fewHomes is the most namespaces with blobs in each of which a blob is looked up.
// More would take longer than a table of all blobs, which in turn takes sixty
// bytes a blob.
const fewHomes = 8

// homes tell which namespaces know a blob.
type homes struct {
	// stocked are the namespaces with blobs, in order.
	stocked []*Space
	// of are the namespaces of each blob; nil if there are few.
	of map[digest.Digest][]*Space
}

func housed(spaces []*Space) homes {
	var h homes
	most := 0
	for _, s := range spaces {
		if len(s.Blobs) > 0 {
			h.stocked = append(h.stocked, s)
			most = max(most, len(s.Blobs))
		}
	}
	if len(h.stocked) <= fewHomes {
		return h
	}
	h.of = make(map[digest.Digest][]*Space, most)
	for i, s := range h.stocked {
		for dgst := range s.Blobs {
			h.of[dgst] = h.with(h.of[dgst], i)
		}
	}
	return h
}

// with adds a namespace to those of a blob. Most blobs have one, whose list needs
// no memory of its own.
func (h *homes) with(found []*Space, i int) []*Space {
	if len(found) == 0 {
		return h.stocked[i : i+1 : i+1]
	}
	return append(found, h.stocked[i])
}

// Homes are the namespaces that know a blob, in order.
func (c *Collector) Homes(dgst digest.Digest) []*Space {
	if c.homes.of != nil {
		return c.homes.of[dgst]
	}
	var found []*Space
	for i, s := range c.homes.stocked {
		if _, known := s.Blobs[dgst]; known {
			found = c.homes.with(found, i)
		}
	}
	return found
}

// AllBlobs yields the blobs of the store that have files, each once, with their
// sizes.
func (c *Collector) AllBlobs() iter.Seq2[digest.Digest, int64] {
	return func(yield func(digest.Digest, int64) bool) {
		for _, s := range c.homes.stocked {
			for dgst, blob := range s.Blobs {
				if _, lost := c.Inv.Lost[dgst]; !lost && c.Homes(dgst)[0] == s && !yield(dgst, blob.Size) {
					return
				}
			}
		}
	}
}
