package manifests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// MaxDocument is the largest manifest or config that is read. Registries
// accept no larger manifests; the length is the store's, not a manifest's.
const MaxDocument = 4 << 20

// TakeDocuments takes what an earlier reading learned: blobs do not change.
func TakeDocuments(ns *inventory.Namespace, before *inventory.Namespace) {
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
	AnnotationReference  = "vnd.docker.reference.type"
	ReferenceAttestation = "attestation-manifest"
)

// ParseDocument reads a document, of which it keeps those children that are
// among the blobs.
func ParseDocument(b []byte, blobs map[digest.Digest]inventory.Blob) (document, error) {
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
		if _, present := blobs[child.Digest]; !present || !isManifest(child.MediaType) {
			continue
		}
		doc.children = append(doc.children, child.Digest)
		if child.Annotations[AnnotationReference] == ReferenceAttestation {
			doc.attestations = append(doc.attestations, child.Digest)
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

// Library reads the documents of a namespace, each once.
type Library struct {
	Namespace *inventory.Namespace
	Provider  content.Provider
	mu        sync.Mutex
	Shelf     map[digest.Digest]*Entry
}

// NewLibrary reads the documents of a namespace from a content store.
func NewLibrary(ns *inventory.Namespace, provider content.Provider) *Library {
	return &Library{Namespace: ns, Provider: provider, Shelf: make(map[digest.Digest]*Entry)}
}

// Entry is a document that was read, or is being read.
type Entry struct {
	once sync.Once
	doc  document
	err  error
}

// errUnreadable marks a blob that is all there, as far as containerd knows, and
// was not to be had: another time, or on another disk, it may say something.
var errUnreadable = errors.New("cannot be read")

// read returns a document. An error says why it cannot be judged.
func (l *Library) read(ctx context.Context, dgst digest.Digest) (document, error) {
	l.mu.Lock()
	e := l.Shelf[dgst]
	if e == nil {
		e = &Entry{}
		l.Shelf[dgst] = e
	}
	l.mu.Unlock()
	e.once.Do(func() { e.doc, e.err = l.load(ctx, dgst) })
	return e.doc, e.err
}

func (l *Library) load(ctx context.Context, dgst digest.Digest) (doc document, err error) {
	blob, ok := l.Namespace.Blobs[dgst]
	if !ok {
		return doc, fmt.Errorf("%s is not in the content store", dgst)
	}
	if blob.Size == 0 {
		return doc, fmt.Errorf("%s is empty, or its file is gone", dgst)
	}
	if blob.Size > MaxDocument {
		return doc, fmt.Errorf("%s has %d bytes, too many for a manifest or config", dgst, blob.Size)
	}
	b, err := store.ReadBlob(ctx, l.Provider, dgst, blob.Size)
	if errno, ok := store.DiskErrno(err); ok {
		err = errno // a reason is short, and the path is that of the digest
	}
	if err != nil {
		return doc, fmt.Errorf("%s %w: %w", dgst, errUnreadable, err)
	}
	if doc, err = ParseDocument(b, l.Namespace.Blobs); err != nil {
		return doc, fmt.Errorf("%s cannot be parsed: %w", dgst, err)
	}
	return doc, nil
}

// Subject returns the digest of the manifest that the target is about, ""
// if it is about none. An image that is unpacked is not read: it is no
// signature, and there may be many. The error is for one that nobody can tell
// of, because the store did not give it out, or because not every reader would
// find the same subject in it.
func (l *Library) Subject(ctx context.Context, target digest.Digest) (digest.Digest, error) {
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

func (l *Library) unpacked(target digest.Digest) bool {
	seen := map[digest.Digest]bool{target: true}
	for gray := []digest.Digest{target}; len(gray) > 0 && len(seen) < maxLook; gray = gray[1:] {
		for _, label := range l.Namespace.Blobs[gray[0]].Labels {
			if strings.HasPrefix(label.Key, store.SnapshotLabel) {
				return true
			}
			child := digest.Digest(label.Value)
			if strings.HasPrefix(label.Key, store.ContentLabel) && !seen[child] {
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
