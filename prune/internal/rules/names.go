package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// maxName is longer than any name with its tag and digest.
const maxName = reference.RepositoryNameTotalLengthMax + 512

// Normalize spells a name as containerd's clients do, "" if it is none.
func Normalize(name string) string {
	if len(name) > maxName {
		return ""
	}
	ref, err := reference.ParseDockerRef(name)
	if err != nil {
		return ""
	}
	return ref.String()
}

// Familiar spells a name as people do, itself if it is none.
func Familiar(name string) string {
	if len(name) > maxName {
		return name
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	short := reference.FamiliarString(ref)
	if again, err := reference.ParseNormalizedNamed(short); err != nil || again.String() != ref.String() {
		return ref.String() // without its domain the next part would be taken for one
	}
	return short
}

// ShownAs returns the records that CRI shows as one image: those whose target
// reaches its config, or is that of the record which CRI makes of its ID.
func (c *Catalog) ShownAs(image store.CRIImage) []*images.Image {
	units := c.Containing(digest.Digest(image.ID))
	for _, record := range c.named[image.ID] {
		if u := c.Units[record.Target.Digest]; !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	var records []*images.Image
	for _, u := range units {
		records = append(records, u.Records...)
	}
	return records
}

// FullSpelling is what CRI makes of a record's name when it sorts references.
func FullSpelling(name string) string {
	ref, err := reference.ParseAnyReference(name)
	if err != nil {
		return name
	}
	return ref.String()
}

// CompareNames puts the names of an image in order, the one that people know best
// first: one with a tag, then one with a digest, then an ID, then one that stands for
// no name.
func CompareNames(a, b string) int {
	return cmp.Or(obscurity(a)-obscurity(b), strings.Compare(a, b))
}

func obscurity(name string) int {
	switch {
	case name == "" || Dangling(name, nil, nil):
		return 3
	case strings.HasPrefix(name, "sha256:"):
		return 2
	case strings.Contains(name, "@"):
		return 1
	}
	return 0
}
