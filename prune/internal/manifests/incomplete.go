package manifests

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// plainName is a name that means itself to a shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)

// PullName is what to type for the image: commands are copied into shells, so
// a name with anything odd in it is not part of one.
func PullName(name string) string {
	if !plainName.MatchString(name) {
		return "REFERENCE"
	}
	return name
}

// Completeness tells what the images of a namespace lack. It looks at each manifest
// and index once.
type Completeness struct {
	Namespace *inventory.Namespace
	// attestations are those manifests of an index that are attestations; nil
	// if indexes cannot be read.
	attestations func(index digest.Digest) []digest.Digest
	// written reads what a manifest says, and chain what a config says of its
	// snapshot; nil if neither can be read.
	written func(digest.Digest) (written, bool)
	chain   func(config digest.Digest) digest.Digest
	// snapshotters are those with snapshots here.
	snapshotters []string
	// known are the answers so far; that of one being looked at stands for a
	// circle of labels.
	known map[digest.Digest]lack
}

// lack is what a manifest lacks; of an index, what the first of its manifests
// does. Indexes of indexes say it once, however deep they go.
type lack struct {
	code  cause.Code // "" if it lacks nothing
	blob  digest.Digest
	index bool
}

// cause tells of it.
func (l lack) cause() cause.Cause {
	if l.code == "" {
		return cause.Cause{}
	}
	return cause.Because(l.code, cause.Parts{Target: l.blob, Index: l.index})
}

// NewCompleteness goes by the labels of a namespace's blobs alone.
func NewCompleteness(ns *inventory.Namespace) Completeness {
	return Completeness{Namespace: ns, known: make(map[digest.Digest]lack)}
}

// NewCompletenessReading makes one that reads the manifests and indexes of a namespace where
// labels do not tell. One that cannot be read is judged by its labels alone.
func NewCompletenessReading(ctx context.Context, ns *inventory.Namespace, st store.Store) Completeness {
	ctx = store.InNamespace(ctx, ns.Name)
	library := NewLibrary(ns, st.Content())
	l := NewCompleteness(ns)
	l.attestations = func(index digest.Digest) []digest.Digest {
		doc, err := library.read(ctx, index)
		if err != nil {
			return nil
		}
		return doc.attestations
	}
	l.written = func(dgst digest.Digest) (written, bool) { return readWritten(ctx, ns, st.Content(), dgst) }
	l.snapshotters = snapshottersOf(ns)
	l.chain = func(config digest.Digest) digest.Digest { return chainOf(ctx, ns, st.Content(), config) }
	return l
}

// Lacks says what a manifest or an index misses, going by containerd's labels
// (core/images, ChildGCLabels) and where these do not tell by what it says, no
// code if nothing. Of an index one complete platform is enough, and an
// attestation is none; layers may be missing if they are unpacked.
func (l Completeness) Lacks(dgst digest.Digest) cause.Cause { return l.of(dgst).cause() }

func (l Completeness) of(dgst digest.Digest) lack {
	if found, ok := l.known[dgst]; ok {
		return found
	}
	l.known[dgst] = lack{code: cause.CodeCircle, blob: dgst}
	found := l.look(dgst)
	l.known[dgst] = found
	return found
}

func (l Completeness) look(dgst digest.Digest) lack {
	blob, ok := l.Namespace.Blobs[dgst]
	if !ok {
		return lack{code: cause.CodeBlobMissing, blob: dgst}
	}
	children := l.childrenOf(dgst, blob.Labels)
	if len(children["config"]) > 0 {
		return l.ofManifest(children)
	}
	var first, attested lack
	var attests map[digest.Digest]bool
	for _, child := range children["m"] {
		found := l.of(child)
		if found == (lack{}) && attests == nil {
			attests = l.attests(dgst, child)
		}
		switch {
		case found == (lack{}) && !attests[child]:
			return lack{}
		case found == (lack{}):
			attested = lack{code: cause.CodeAttestation, blob: child}
		case first.code == "":
			first = found
		}
	}
	worst := cmp.Or(first, attested)
	worst.index = worst.code != ""
	return worst
}

// childrenOf sorts out what a manifest or an index refers to. Of an index only
// the manifests that are there are told: missing platforms are normal.
func (l Completeness) childrenOf(dgst digest.Digest, labels inventory.Labels) map[string][]digest.Digest {
	children := labelled(labels)
	if len(children["l"])+len(children["m"]) > 0 || l.written == nil {
		return children
	}
	doc, ok := l.written(dgst)
	if !ok {
		return children
	}
	if doc.Config.Digest != "" && len(children["config"]) == 0 {
		children["config"] = append(children["config"], doc.Config.Digest)
	}
	for _, layer := range doc.Layers {
		children["l"] = append(children["l"], layer.Digest)
	}
	for _, m := range doc.Manifests {
		if _, there := l.Namespace.Blobs[m.Digest]; there || len(children["m"]) == 0 {
			children["m"] = append(children["m"], m.Digest)
		}
	}
	return children
}

// labelled sorts out what the labels of a manifest or an index refer to.
func labelled(labels inventory.Labels) map[string][]digest.Digest {
	children := make(map[string][]digest.Digest)
	for _, label := range labels {
		for _, part := range []string{"config", "l", "m"} {
			prefix := store.ContentLabel + part
			if label.Key == prefix || strings.HasPrefix(label.Key, prefix+".") {
				children[part] = append(children[part], digest.Digest(label.Value))
			}
		}
	}
	return children
}

// attests tells the attestations among the manifests of an index, of which one
// is found complete. If that is unpacked it is none, so that most indexes need
// not be read.
func (l Completeness) attests(index, complete digest.Digest) map[digest.Digest]bool {
	attests := make(map[digest.Digest]bool)
	configs := l.childrenOf(complete, l.Namespace.Blobs[complete].Labels)["config"]
	if l.attestations == nil || slices.ContainsFunc(configs, l.unpacked) {
		return attests
	}
	for _, dgst := range l.attestations(index) {
		attests[dgst] = true
	}
	return attests
}

func (l Completeness) ofManifest(children map[string][]digest.Digest) lack {
	for _, config := range children["config"] {
		if _, ok := l.Namespace.Blobs[config]; !ok {
			return lack{code: cause.CodeConfigMissing, blob: config}
		}
	}
	if slices.ContainsFunc(children["config"], l.unpacked) {
		return lack{}
	}
	for _, layer := range children["l"] {
		if _, ok := l.Namespace.Blobs[layer]; !ok {
			if slices.ContainsFunc(children["config"], l.hasChain) {
				return lack{}
			}
			return lack{code: cause.CodeLayerMissing, blob: layer}
		}
	}
	return lack{}
}

// hasChain says whether a snapshot has the chain ID that a config tells: the
// label that led there may have been removed.
func (l Completeness) hasChain(config digest.Digest) bool {
	if l.chain == nil {
		return false
	}
	chain := l.chain(config).String()
	if chain == "" {
		return false
	}
	return slices.ContainsFunc(l.snapshotters, func(name string) bool {
		_, there := l.Namespace.Snapshots[inventory.SnapshotKey{Snapshotter: name, Key: chain}]
		return there
	})
}

func snapshottersOf(ns *inventory.Namespace) []string {
	names := make(map[string]struct{})
	for key := range ns.Snapshots {
		names[key.Snapshotter] = struct{}{}
	}
	return slices.Collect(maps.Keys(names))
}

// unpacked says whether the snapshots of a config are there.
func (l Completeness) unpacked(config digest.Digest) bool {
	for key, top := range store.SnapshotLabels(l.Namespace.Blobs[config].Labels.Map()) {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, store.SnapshotLabel), "/")
		if _, there := l.Namespace.Snapshots[inventory.SnapshotKey{Snapshotter: snapshotter, Key: top}]; there {
			return true
		}
	}
	return false
}
