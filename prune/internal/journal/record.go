package journal

import (
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// PlanSchema is the version of the plan's format.
const PlanSchema = 2

// PlanBlob is what a run records before it deletes anything: enough to restore
// every record. A large plan is split into several, which can be read on their
// own.
type PlanBlob struct {
	PlanHead
	// Namespaces are all that the run was about to remove something from.
	Namespaces []string     `json:"namespaces,omitempty"`
	Records    []PlanRecord `json:"records"`
	Orphans    []gc.Orphan  `json:"orphans,omitempty"`
}

// PlanHead is the same in all documents of a plan, but for their numbers.
type PlanHead struct {
	Schema int    `json:"schema"`
	Run    string `json:"run"`
	// Chunk counts the documents from 0. Nothing is deleted before that one
	// is written which says that it is the last.
	Chunk     int       `json:"chunk"`
	Last      bool      `json:"last,omitempty"`
	Started   time.Time `json:"started"`
	Namespace string    `json:"namespace"`
}

// PlanRecord is an image record that a run is about to delete, with all that makes it
// the same again.
type PlanRecord struct {
	Name      string             `json:"name"`
	Target    ocispec.Descriptor `json:"target"`
	Labels    map[string]string  `json:"labels,omitempty"`
	CreatedAt time.Time          `json:"createdAt"`
	UpdatedAt time.Time          `json:"updatedAt"`
	StandIn   string             `json:"standIn,omitempty"`
	// Subject is what the target's manifest is about. Who finishes a killed
	// run has not read that manifest: it has no record any more.
	Subject digest.Digest `json:"subject,omitempty"`
}

// Image is the record as containerd has, or had, it.
func (r PlanRecord) Image() *images.Image {
	return &images.Image{Name: r.Name, Target: r.Target, Labels: r.Labels, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

// ParsePlanBlob reads a document of a plan, of the one version that there is.
func ParsePlanBlob(doc []byte) (PlanBlob, error) {
	var p PlanBlob
	if err := strictjson.Unmarshal(doc, &p); err != nil {
		return PlanBlob{}, fmt.Errorf("parsing a plan blob: %w", err)
	}
	if p.Schema != PlanSchema {
		return PlanBlob{}, fmt.Errorf("a plan blob has schema %d, but this version of ctr-prune knows only %d: finish the run with the version that wrote it", p.Schema, PlanSchema)
	}
	return p, nil
}
