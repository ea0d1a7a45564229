package oracle

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// largestDocument is the most bytes of a blob that are read as JSON.
const largestDocument = 4 << 20

// Document is what a manifest, an index or a config says. A blob that is no
// such JSON is a Document with nothing in it.
type Document struct {
	// Children are the digests that a manifest or an index lists.
	Children []digest.Digest
	// Configs are those among Children that a manifest names as its config.
	Config digest.Digest
	// Chain are the chain IDs of a config's layers, the lowest first.
	Chain []string
}

// readDocuments follows the JSON of all records of a namespace.
func (s *State) readDocuments(n *Namespace, root string) {
	var todo []ocispec.Descriptor
	for _, i := range n.Images {
		todo = append(todo, i.Target)
	}
	for len(todo) > 0 {
		desc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, seen := s.Documents[desc.Digest]; seen || s.Files[desc.Digest] > largestDocument {
			continue
		}
		data, err := os.ReadFile(blobFile(root, desc.Digest))
		if err != nil { // an absent blob has no document; nor has anything it listed
			continue
		}
		doc, below := parse(desc.MediaType, data)
		s.Documents[desc.Digest] = doc
		todo = append(todo, below...)
	}
}

// parse reads the one kind of JSON that the media type stands for.
func parse(mediaType string, data []byte) (doc Document, below []ocispec.Descriptor) {
	var v struct {
		Manifests []ocispec.Descriptor `json:"manifests"`
		Config    *ocispec.Descriptor  `json:"config"`
		Layers    []ocispec.Descriptor `json:"layers"`
	}
	switch {
	case isManifest(mediaType):
		if json.Unmarshal(data, &v) != nil {
			return doc, nil
		}
		if v.Config != nil {
			doc.Config = v.Config.Digest
			below = append(below, *v.Config)
		}
		below = append(append(below, v.Layers...), v.Manifests...)
		for _, d := range below {
			doc.Children = append(doc.Children, d.Digest)
		}
	case strings.Contains(mediaType, "config") || strings.Contains(mediaType, "container.image"):
		doc.Chain = chain(data)
	}
	return doc, below
}

func isManifest(mediaType string) bool {
	return strings.Contains(mediaType, "manifest") || strings.Contains(mediaType, "image.index")
}

// chain computes the names of the snapshots of a config's layers: that of the
// first is its diff ID, every other hashes the one below and its own.
func chain(config []byte) []string {
	var v struct {
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if json.Unmarshal(config, &v) != nil {
		return nil
	}
	var out []string
	for i, id := range v.RootFS.DiffIDs {
		if i > 0 {
			id = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(out[i-1]+" "+id)))
		}
		out = append(out, id)
	}
	return out
}
