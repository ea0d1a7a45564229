package prune

import (
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

// labelManaged is on every record that CRI has taken in.
const (
	labelManaged = "io.cri-containerd.image"
	valueManaged = "managed"
)

// criRecordOfID says whether a record is the one that CRI makes of an image's
// ID, beside whatever record it found. It is not a name that anybody gave, so
// an image with a dangling name is still dangling with it.
func criRecordOfID(record *images.Image) bool {
	return record.Labels[labelManaged] == valueManaged && digest.Digest(record.Name).Validate() == nil
}
