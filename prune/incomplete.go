package prune

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// incomplete finds the records whose content is not all there. The bytes are
// what there is of them, also what others share.
func (k *checker) incomplete(ns *Namespace, l lacker) {
	var records []node
	lacks := make(map[node]Cause)
	for _, image := range ns.Images {
		if lack := l.lacks(image.Target.Digest); lack.given() {
			record := node{kind: kindImage, ns: ns.Name, key: image.Name}
			records, lacks[record] = append(records, record), lack
		}
	}
	if len(records) == 0 {
		return
	}
	present := k.c.totals(k.c.sizes(), records)
	for _, record := range records {
		sum := present[record]
		k.add(Finding{
			Problem: ProblemIncomplete, Namespace: ns.Name, Object: record.key, Bytes: sum.TotalBytes, AtLeast: sum.bound,
			Parts: partsBecause(lacks[record]),
			Mend:  fmt.Sprintf("ctr -n %s images pull %s", ns.Name, pullName(record.key)),
		})
	}
}

// plainName is a name that means itself to a shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)

// pullName is what to type for the image: commands are copied into shells, so
// a name with anything odd in it is not part of one.
func pullName(name string) string {
	if !plainName.MatchString(name) {
		return "REFERENCE"
	}
	return name
}

// lacker says what images lack, each manifest and index once.
type lacker struct {
	ns *Namespace
	// attestations are those manifests of an index that are attestations; nil
	// if indexes cannot be read.
	attestations func(index digest.Digest) []digest.Digest
	// known are the answers so far; that of one being looked at stands for a
	// circle of labels.
	known map[digest.Digest]lack
}

// lack is what a manifest lacks; of an index, what the first of its manifests
// does. Indexes of indexes say it once, however deep they go.
type lack struct {
	code  Code // "" if it lacks nothing
	blob  digest.Digest
	index bool
}

// The codes of what an image lacks.
const (
	codeBlobMissing   Code = "blob-missing"
	codeConfigMissing Code = "config-missing"
	codeLayerMissing  Code = "layer-missing"
	codeAttestation   Code = "only-attestation"
	codeCircle        Code = "refers-to-itself"
)

// cause tells of it.
func (l lack) cause() Cause {
	if l.code == "" {
		return Cause{}
	}
	return because(l.code, parts{Target: l.blob, Index: l.index})
}

// lacking puts it in words, of which the first is the blob.
func lacking(format string) func(*parts) string {
	return func(p *parts) string {
		text := fmt.Sprintf(format, p.Target)
		if p.Index {
			return "none of its platforms is complete; " + text
		}
		return text
	}
}

func newLacker(ns *Namespace) lacker {
	return lacker{ns: ns, known: make(map[digest.Digest]lack)}
}

// lacker makes one that reads the indexes of a namespace where labels do not
// tell. One that cannot be read is judged by its labels alone.
func (ns *Namespace) lacker(ctx context.Context, store Store) lacker {
	ctx = inNamespace(ctx, ns.Name)
	library := newLibrary(ns, store.Content())
	l := newLacker(ns)
	l.attestations = func(index digest.Digest) []digest.Digest {
		doc, err := library.read(ctx, index)
		if err != nil {
			return nil
		}
		return doc.attestations
	}
	return l
}

// lacks says what a manifest or an index misses, going by containerd's labels
// (core/images, ChildGCLabels), no code if nothing. Of an index one complete
// platform is enough, and an attestation is none; layers may be missing if they
// are unpacked.
func (l lacker) lacks(dgst digest.Digest) Cause { return l.of(dgst).cause() }

func (l lacker) of(dgst digest.Digest) lack {
	if found, ok := l.known[dgst]; ok {
		return found
	}
	l.known[dgst] = lack{code: codeCircle, blob: dgst}
	found := l.look(dgst)
	l.known[dgst] = found
	return found
}

func (l lacker) look(dgst digest.Digest) lack {
	blob, ok := l.ns.Blobs[dgst]
	if !ok {
		return lack{code: codeBlobMissing, blob: dgst}
	}
	children := childrenOf(blob.Labels)
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
			attested = lack{code: codeAttestation, blob: child}
		case first.code == "":
			first = found
		}
	}
	worst := cmp.Or(first, attested)
	worst.index = worst.code != ""
	return worst
}

// childrenOf sorts out what the labels of a manifest or an index refer to.
func childrenOf(labels map[string]string) map[string][]digest.Digest {
	children := make(map[string][]digest.Digest)
	for _, key := range gcKeys(labels) {
		for _, part := range []string{"config", "l", "m"} {
			prefix := contentLabel + part
			if key == prefix || strings.HasPrefix(key, prefix+".") {
				children[part] = append(children[part], digest.Digest(labels[key]))
			}
		}
	}
	return children
}

// attests tells the attestations among the manifests of an index, of which one
// is found complete. If that is unpacked it is none, so that most indexes need
// not be read.
func (l lacker) attests(index, complete digest.Digest) map[digest.Digest]bool {
	attests := make(map[digest.Digest]bool)
	configs := childrenOf(l.ns.Blobs[complete].Labels)["config"]
	if l.attestations == nil || slices.ContainsFunc(configs, l.unpacked) {
		return attests
	}
	for _, dgst := range l.attestations(index) {
		attests[dgst] = true
	}
	return attests
}

func (l lacker) ofManifest(children map[string][]digest.Digest) lack {
	for _, config := range children["config"] {
		if _, ok := l.ns.Blobs[config]; !ok {
			return lack{code: codeConfigMissing, blob: config}
		}
	}
	if slices.ContainsFunc(children["config"], l.unpacked) {
		return lack{}
	}
	for _, layer := range children["l"] {
		if _, ok := l.ns.Blobs[layer]; !ok {
			return lack{code: codeLayerMissing, blob: layer}
		}
	}
	return lack{}
}

// unpacked says whether the snapshots of a config are there.
func (l lacker) unpacked(config digest.Digest) bool {
	for key, top := range leases.SnapshotLabels(l.ns.Blobs[config].Labels) {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, leases.SnapshotLabel), "/")
		if _, there := l.ns.Snapshots[SnapshotKey{snapshotter, top}]; there {
			return true
		}
	}
	return false
}
