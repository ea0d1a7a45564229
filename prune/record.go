package prune

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/leases"
)

// planSchema is the version of the plan blob's format.
const planSchema = 1

// planBlob is what a run writes down before it deletes anything: enough to
// put every record back.
type planBlob struct {
	Schema    int          `json:"schema"`
	Run       string       `json:"run"`
	Chunk     int          `json:"chunk"`
	Started   time.Time    `json:"started"`
	Namespace string       `json:"namespace"`
	Records   []planRecord `json:"records"`
	Orphans   []orphan     `json:"orphans,omitempty"`
}

type planRecord struct {
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

// maxWeight bounds what one plan blob takes, so that the next run can read it
// back however long the names are.
const maxWeight = 16 << 20

// weight is the most that a record takes in a plan blob: JSON writes a control
// character in six.
func (d Decision) weight() int {
	text := len(d.Name) + len(d.StandIn) + len(d.Target.MediaType) + len(d.Target.Digest)
	for _, labels := range []map[string]string{d.image.Labels, d.Target.Annotations} {
		for key, value := range labels {
			text += len(key) + len(value) + 1
		}
	}
	return 6*text + 256
}

// chunks parts the records of a batch so that each part fits a plan blob; there
// is at least one, for the blob is also what makes containerd look at its
// content store when it collects.
func (b batch) chunks() [][]Decision {
	var parts [][]Decision
	start, weight := 0, 0
	for i, d := range b.records {
		weight += d.weight()
		if i > start && (weight > maxWeight || i-start == leases.MaxTargets) {
			parts = append(parts, b.records[start:i])
			start, weight = i, d.weight()
		}
	}
	return append(parts, b.records[start:])
}

// planBlobs writes a batch down in as many blobs as it needs.
func planBlobs(run leases.Run, b batch, orphans []orphan) (docs [][]byte, targets [][]digest.Digest, err error) {
	for i, chunk := range b.chunks() {
		doc := planBlob{Schema: planSchema, Run: run.Name, Chunk: i, Started: run.Start, Namespace: b.ns.Name}
		var chunkTargets []digest.Digest
		for _, d := range chunk {
			doc.Records = append(doc.Records, planRecord{
				Name: d.Name, Target: d.Target, Labels: d.image.Labels,
				CreatedAt: d.image.CreatedAt, UpdatedAt: d.image.UpdatedAt, StandIn: d.StandIn,
				Subject: b.ns.Subjects[d.Target.Digest],
			})
			if !slices.Contains(tail(chunkTargets), d.Target.Digest) {
				chunkTargets = append(chunkTargets, d.Target.Digest)
			}
		}
		if i == 0 {
			for _, o := range orphans {
				if o.Namespace == b.ns.Name {
					doc.Orphans = append(doc.Orphans, o)
				}
			}
		}
		encoded, err := json.Marshal(doc)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding the plan for namespace %q: %w", b.ns.Name, err)
		}
		docs, targets = append(docs, encoded), append(targets, chunkTargets)
	}
	return docs, targets, nil
}

// tail is the part of a list that is searched for a repetition: the names of
// one image are often neighbours, and a second label for a target is harmless.
func tail(targets []digest.Digest) []digest.Digest {
	return targets[max(0, len(targets)-4):]
}

func parsePlanBlob(doc []byte) (planBlob, error) {
	var p planBlob
	if err := json.Unmarshal(doc, &p); err != nil {
		return planBlob{}, fmt.Errorf("parsing a plan blob: %w", err)
	}
	if p.Schema != planSchema {
		return planBlob{}, fmt.Errorf("a plan blob has schema %d, only %d is known: finish it with the version that wrote it", p.Schema, planSchema)
	}
	return p, nil
}

// decisions returns the records of an interrupted run as if they were to be
// removed again.
func (p planBlob) decisions() []Decision {
	all := make([]Decision, len(p.Records))
	for i, r := range p.Records {
		image := images.Image{Name: r.Name, Target: r.Target, Labels: r.Labels, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
		all[i] = Decision{Namespace: p.Namespace, Name: r.Name, Target: r.Target, Action: Remove, StandIn: r.StandIn, image: image, subject: r.Subject}
	}
	return all
}
