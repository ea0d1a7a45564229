package prune

import (
	"regexp"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

// tagSchema is how signatures, attestations and SBOMs are tagged by tools that
// do not use the OCI subject field, and the OCI fallback tag without suffix.
var tagSchema = regexp.MustCompile(`:(sha256)-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$`)

// referrerLabel starts the label by which containerd ties a referrer to its
// subject (core/images, ChildGCLabels).
const referrerLabel = "containerd.io/gc.ref.content.referrer."

// subjects returns the units that a unit says something about: as a
// signature, an SBOM, an attestation. Sorted, without the unit itself.
func (c *catalog) subjects(u *unit) []*unit {
	var digests []digest.Digest
	if subject, ok := c.ns.Subjects[u.target]; ok {
		digests = append(digests, subject)
	}
	digests = append(digests, c.referrers[u.target]...)
	for _, record := range u.records {
		if subject := digest.Digest(record.Target.Annotations[images.AnnotationManifestSubject]); subject.Validate() == nil {
			digests = append(digests, subject)
		}
		if m := tagSchema.FindStringSubmatch(record.Name); m != nil {
			digests = append(digests, digest.Digest(m[1]+":"+m[2]))
		}
	}
	var found []*unit
	for _, dgst := range digests {
		for _, subject := range c.containing(dgst) {
			if subject != u && !slices.Contains(found, subject) {
				found = append(found, subject)
			}
		}
	}
	return found
}

// indexes returns the nearest units that have the unit's target among their
// children. Those further up need no look: what stays keeps its own children.
func (c *catalog) indexes(u *unit) []*unit {
	return c.climb(u.target, true)
}
