package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
)

// Blob is what is kept of a blob's record. There may be a million of them, so
// what nobody asks for is left out.
type Blob struct {
	Size      int64
	CreatedAt time.Time
	Labels    Labels
}

// NewBlob keeps what is needed of a blob's record.
func NewBlob(info content.Info) Blob {
	// Damaged metadata may say any size.
	return Blob{Size: max(info.Size, 0), CreatedAt: info.CreatedAt, Labels: LabelsOf(info.Labels)}
}

// Labelled returns the blob with those of the labels that are kept.
func (b Blob) Labelled(all map[string]string) Blob {
	b.Labels = LabelsOf(all)
	return b
}

// Snapshot is what is kept of a snapshot's record.
type Snapshot struct {
	Kind    snapshots.Kind
	Parent  string
	Created time.Time
	Labels  Labels
}

// NewSnapshot keeps what is needed of a snapshot's record.
func NewSnapshot(info snapshots.Info) Snapshot {
	return Snapshot{Kind: info.Kind, Parent: info.Parent, Created: info.Created, Labels: LabelsOf(info.Labels)}
}

// Trim drops what nobody asks for of a container's record: its runtime's
// configuration, which has ten thousand bytes and more.
func Trim(c *containers.Container) {
	c.Spec, c.Runtime = nil, containers.RuntimeInfo{}
	for name := range c.Extensions {
		if name != ExtensionCRIContainer && name != extensionCRISandbox {
			delete(c.Extensions, name)
		}
	}
}

// Label is one label of an object.
type Label struct{ Key, Value string }

// Labels are the labels of an object that somebody asks for, sorted by key: a map
// for each of many objects would take several times the memory.
type Labels []Label

// asked are the beginnings of the labels that are kept: of those that containerd's
// collector reads, and of our own. Who asks for another has to add it here.
var asked = []string{"containerd.io/gc.", "ctr-prune/"}

// LabelsOf picks the labels that are kept.
func LabelsOf(all map[string]string) Labels {
	n := 0
	for key := range all {
		if isAsked(key) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	labels := make(Labels, 0, n)
	for key, value := range all {
		if isAsked(key) {
			labels = append(labels, Label{key, value})
		}
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Key, b.Key) })
	return labels
}

func isAsked(key string) bool {
	return slices.ContainsFunc(asked, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// Get returns the value of a label, "" if there is none.
func (l Labels) Get(key string) string {
	at, found := slices.BinarySearchFunc(l, key, func(label Label, key string) int { return strings.Compare(label.Key, key) })
	if !found {
		return ""
	}
	return l[at].Value
}

// Map returns the labels as a map of the caller's.
func (l Labels) Map() map[string]string {
	all := make(map[string]string, len(l))
	for _, label := range l {
		all[label.Key] = label.Value
	}
	return all
}
