package oracle

import (
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/opencontainers/go-digest"
)

type digests map[digest.Digest]bool

// identities says by what the targets of a namespace's records are known.
type identities struct {
	ns *Namespace
	// ids maps targets and the configs within to the targets of records.
	ids map[digest.Digest]digests
	// tops maps the keys of the images' top snapshots to their targets.
	tops map[string]digests
}

func (s *State) identify(n *Namespace) identities {
	known := identities{n, map[digest.Digest]digests{}, map[string]digests{}}
	seen := digests{}
	for _, img := range n.Images {
		target := img.Target.Digest
		if seen[target] {
			continue
		}
		seen[target] = true
		insert(known.ids, target, target)
		for _, d := range s.present(n, target) {
			doc := s.Documents[d]
			if doc.Config != "" {
				insert(known.ids, doc.Config, target)
			}
			if len(doc.Chain) > 0 {
				insert(known.tops, doc.Chain[len(doc.Chain)-1], target)
			}
		}
	}
	return known
}

func insert[K comparable](m map[K]digests, key K, d digest.Digest) {
	if m[key] == nil {
		m[key] = digests{}
	}
	m[key][d] = true
}

// uses tells what a container ran from: what its record says, and if that is
// nothing that its files can stand on, whatever they do stand on.
func (k identities) uses(c containers.Container) []use {
	var out []use
	if rec, ok := k.ns.Images[c.Image]; ok {
		out = append(out, use{c.Image, digests{rec.Target.Digest: true}})
	} else if t := k.withID(c.Image); len(t) > 0 {
		out = append(out, use{"", t})
	}
	for _, noted := range []string{criImageRef(c), c.Labels["nerdctl/image-digest"]} {
		if t := k.withID(noted); len(t) > 0 {
			out = append(out, use{"", t})
		}
	}
	if t := k.standingOn(c, len(out) > 0); len(t) > 0 && !saysOneOf(out, t) {
		out = append(out, use{"", t})
	}
	return out
}

// saysOneOf says whether a container's word is one of several images.
func saysOneOf(said []use, of digests) bool {
	for _, u := range said {
		for d := range u.targets {
			if of[d] {
				return true
			}
		}
	}
	return false
}

// withID returns the targets that a digest, or the beginning of one, names.
func (k identities) withID(id string) digests {
	if !strings.HasPrefix(id, "sha256:") {
		return nil
	}
	out := digests{}
	for d, targets := range k.ids {
		if strings.HasPrefix(d.String(), id) {
			maps.Copy(out, targets)
		}
	}
	return out
}

// standingOn returns the targets of the images whose top snapshot is the
// nearest below the container's own. Where a layer of no image lies between,
// the container ran from one that is gone; then what is below counts only if
// nothing else is known.
func (k identities) standingOn(c containers.Container, known bool) digests {
	for _, key := range ancestry(k.ns, c) {
		if t := k.tops[key.Key]; len(t) > 0 {
			return t
		}
		if layer := digest.Digest(key.Key).Validate() == nil; layer && known {
			return nil
		}
	}
	return nil
}
