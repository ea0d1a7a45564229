package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/leases/strictjson"
)

// maxDocument is the largest manifest or config that is read. Registries
// accept no larger manifests; the length is the store's, not a manifest's.
const maxDocument = 4 << 20

// documents reads what containerd's labels do not tell: which manifest a
// target is about, and the labels of configs where a filter asks for them.
func (r *reader) documents(ctx context.Context, inv *Inventory) error {
	for _, ns := range inv.Namespaces {
		if !inv.scope.has(ns.Name) {
			continue
		}
		if r.before != nil {
			ns.takeDocuments(r.before.Namespace(ns.Name))
			continue
		}
		labels := inv.scope.hasLabels()
		l := newLibrary(ns, r.store.Content())
		targets := make(map[digest.Digest]bool, len(ns.Images))
		for _, image := range ns.Images {
			targets[image.Target.Digest] = true
		}
		ns.Subjects = make(map[digest.Digest]digest.Digest)
		ns.Unreadable = make(map[digest.Digest]string)
		ns.Configs = make(map[digest.Digest]Config)
		var mu sync.Mutex
		err := each(inNamespace(ctx, ns.Name), slices.Sorted(maps.Keys(targets)), func(ctx context.Context, target digest.Digest) error {
			subject, unread := l.subject(ctx, target)
			var config Config
			if labels {
				config = l.configs(ctx, target)
			}
			mu.Lock()
			defer mu.Unlock()
			if subject != "" {
				ns.Subjects[target] = subject
			}
			if unread != nil {
				ns.Unreadable[target] = unread.Error()
			}
			if labels {
				ns.Configs[target] = config
			}
			return ctx.Err()
		})
		if err != nil {
			return fmt.Errorf("reading the manifests of namespace %q: %w", ns.Name, err)
		}
	}
	return nil
}

// takeDocuments takes what an earlier reading learned: blobs do not change.
func (ns *Namespace) takeDocuments(before *Namespace) {
	if before != nil {
		ns.Subjects, ns.Unreadable, ns.Configs = before.Subjects, before.Unreadable, before.Configs
	}
}

// document is what is needed of a manifest, an index or a config. It is all that
// is kept of one: the texts of ten thousand are not.
type document struct {
	// subject is the manifest that it is about, "" if it is about none.
	subject digest.Digest
	// children are the manifests and indexes that it lists, as far as they are
	// in the store; attestations are those of them that are about another.
	children, attestations []digest.Digest
	// hasConfig says that it has a config, which in a manifest is the
	// descriptor of one, and in a config has the labels. Either may be wrong.
	hasConfig           bool
	config              digest.Digest
	labels              map[string]string
	configErr, labelErr error
}

// The annotation by which buildkit tells an attestation in an index from a
// platform's manifest.
const (
	annotationReference  = "vnd.docker.reference.type"
	referenceAttestation = "attestation-manifest"
)

// parseDocument reads a document, of which it keeps those children that are
// among the blobs.
func parseDocument(b []byte, blobs map[digest.Digest]content.Info) (document, error) {
	var text struct {
		Manifests []ocispec.Descriptor `json:"manifests"`
		Config    json.RawMessage      `json:"config"`
		Subject   *ocispec.Descriptor  `json:"subject"`
	}
	if err := strictjson.Unmarshal(b, &text); err != nil {
		return document{}, err
	}
	var doc document
	if text.Subject != nil && text.Subject.Digest.Validate() == nil {
		doc.subject = text.Subject.Digest
	}
	for _, child := range text.Manifests {
		blob, present := blobs[child.Digest]
		if !present || !isManifest(child.MediaType) {
			continue
		}
		doc.children = append(doc.children, blob.Digest) // which needs no memory of its own
		if child.Annotations[annotationReference] == referenceAttestation {
			doc.attestations = append(doc.attestations, blob.Digest)
		}
	}
	if doc.hasConfig = len(text.Config) > 0; !doc.hasConfig {
		return doc, nil
	}
	var desc ocispec.Descriptor
	doc.configErr = strictjson.Unmarshal(text.Config, &desc)
	doc.config = desc.Digest
	var inner struct{ Labels map[string]string }
	doc.labelErr = strictjson.Unmarshal(text.Config, &inner)
	doc.labels = inner.Labels
	return doc, nil
}

// library reads the documents of a namespace, each once.
type library struct {
	ns       *Namespace
	provider content.Provider
	mu       sync.Mutex
	shelf    map[digest.Digest]*entry
}

func newLibrary(ns *Namespace, provider content.Provider) *library {
	return &library{ns: ns, provider: provider, shelf: make(map[digest.Digest]*entry)}
}

type entry struct {
	once sync.Once
	doc  document
	err  error
}

// errUnreadable marks a blob that is all there, as far as containerd knows, and
// was not to be had: another time, or on another disk, it may say something.
var errUnreadable = errors.New("cannot be read")

// read returns a document. An error says why it cannot be judged.
func (l *library) read(ctx context.Context, dgst digest.Digest) (document, error) {
	l.mu.Lock()
	e := l.shelf[dgst]
	if e == nil {
		e = &entry{}
		l.shelf[dgst] = e
	}
	l.mu.Unlock()
	e.once.Do(func() { e.doc, e.err = l.load(ctx, dgst) })
	return e.doc, e.err
}

func (l *library) load(ctx context.Context, dgst digest.Digest) (doc document, err error) {
	blob, ok := l.ns.Blobs[dgst]
	if !ok {
		return doc, fmt.Errorf("%s is not in the content store", dgst)
	}
	if blob.Size == 0 {
		return doc, fmt.Errorf("%s is empty, or its file is gone", dgst)
	}
	if blob.Size > maxDocument {
		return doc, fmt.Errorf("%s has %d bytes, too many for a manifest or config", dgst, blob.Size)
	}
	b, err := leases.ReadBlob(ctx, l.provider, dgst, blob.Size)
	if errno, ok := diskErrno(err); ok {
		err = errno // a reason is short, and the path is that of the digest
	}
	if err != nil {
		return doc, fmt.Errorf("%s %w: %w", dgst, errUnreadable, err)
	}
	if doc, err = parseDocument(b, l.ns.Blobs); err != nil {
		return doc, fmt.Errorf("%s cannot be parsed: %w", dgst, err)
	}
	return doc, nil
}

// subject returns the digest of the manifest that the target is about, ""
// if it is about none. An image that is unpacked is not read: it is no
// signature, and there may be many. The error is for one that nobody can tell
// of, because the store did not give it out, or because not every reader would
// find the same subject in it.
func (l *library) subject(ctx context.Context, target digest.Digest) (digest.Digest, error) {
	if l.unpacked(target) {
		return "", nil
	}
	doc, err := l.read(ctx, target)
	switch {
	case errors.Is(err, errUnreadable) && !cutOff(err), strictjson.Ambiguous(err):
		return "", err
	case err == nil:
		return doc.subject, nil
	default: // garbage is about nothing; filters that need it say so
		return "", nil
	}
}

// cutOff says of a blob that could not be read that it is not there as
// containerd has it: gone, or shorter. It is garbage then.
func cutOff(err error) bool {
	return errdefs.IsNotFound(err) || errdefs.IsOutOfRange(err) || errdefs.IsDataLoss(err) || errors.Is(err, io.ErrUnexpectedEOF)
}

// maxLook bounds the search for a config below a target.
const maxLook = 64

func (l *library) unpacked(target digest.Digest) bool {
	seen := map[digest.Digest]bool{target: true}
	for gray := []digest.Digest{target}; len(gray) > 0 && len(seen) < maxLook; gray = gray[1:] {
		for key, value := range l.ns.Blobs[gray[0]].Labels {
			if strings.HasPrefix(key, leases.SnapshotLabel) {
				return true
			}
			child := digest.Digest(value)
			if strings.HasPrefix(key, "containerd.io/gc.ref.content.") && !seen[child] {
				seen[child] = true
				gray = append(gray, child)
			}
		}
	}
	return false
}

func isManifest(mediaType string) bool {
	return mediaType == "" || images.IsManifestType(mediaType) || images.IsIndexType(mediaType)
}
