package inventory

import (
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

// labelManaged is on every record that CRI has taken in.
const (
	LabelManaged = "io.cri-containerd.image"
	ValueManaged = "managed"
)

// CRIRecordOfID says whether a record is the one that CRI makes of an image's
// ID, beside whatever record it found. It is not a name that anybody gave, so
// an image with a dangling name is still dangling with it.
func CRIRecordOfID(record *images.Image) bool {
	return record.Labels[LabelManaged] == ValueManaged && digest.Digest(record.Name).Validate() == nil
}

// LabelProbe is on the records that are made only for CRI to see. If a
// killed run leaves one, it counts as dangling, and a containerd that
// collects expired records (2.0 and later) takes it.
const LabelProbe = "ctr-prune/probe"
