package rules

import (
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Action is what a plan does with a record.
type Action string

// The actions. Every record of a pruned namespace has exactly one.
const (
	// Remove means that the record is removed.
	Remove Action = "remove"
	// Keep means that the record is kept.
	Keep Action = "keep"
	// StandIn means that the record is removed and a dangling record takes its
	// place, because its target is in use and has no other record left.
	StandIn Action = "stand-in"
)

// Decision is what a plan does with one record, and why.
type Decision struct {
	Namespace string
	Name      string
	Target    ocispec.Descriptor
	Action    Action
	// Cause is why.
	cause.Cause
	// Details add to it.
	Details []cause.Cause
	// Named says that a filter names the record by id=.
	Named bool
	// StandIn is the name of the record that takes this one's place, if
	// Action is StandIn.
	StandIn string

	// LastUse is the last use of the target that is known: now, where it is in use.
	// Nothing is known without a policy's LastUse.
	LastUse lastuse.Use

	// Image is the record itself, which nobody changes.
	Image *images.Image
	// Collected says that the record goes, but not by the run: its namespace is
	// closed, and any garbage collection removes it.
	Collected bool
	// Subject is what the target is about, if a plan blob tells.
	Subject digest.Digest
}

// Key is the namespace and the name of the record.
func (d Decision) Key() [2]string { return [2]string{d.Namespace, d.Name} }

// Gone reports whether the record itself is removed.
func (d Decision) Gone() bool { return d.Action != Keep }

// StandInRecord is the record that takes the place of this one. It holds the target
// and nothing else: what the collector's labels on the old record say, that it
// expires, or what else it holds, was said of the name that goes.
func (d Decision) StandInRecord() images.Image {
	labels := maps.Clone(d.Image.Labels)
	maps.DeleteFunc(labels, func(key, _ string) bool { return strings.HasPrefix(key, gc.LabelPrefix) })
	return images.Image{Name: d.StandIn, Target: d.Target, Labels: labels}
}

// Skip is a planned record that the run did not change, and why.
type Skip struct {
	inventory.Record
	cause.Cause
}

// Record names the record that was decided about.
func (d Decision) Record() inventory.Record {
	return inventory.Record{Namespace: d.Namespace, Name: d.Name, Target: d.Target.Digest}
}
