package text

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// imageKey names an image: all names of a target in a namespace.
type imageKey struct {
	namespace string
	target    digest.Digest
}

func keyOf(image prune.ImageDocument) imageKey { return imageKey{image.Namespace, image.Target} }

// image is what a plan says of an image, under all of its names that it lists.
type image struct {
	key imageKey
	// names are those that go and those that stay, the one that people know best first.
	going, staying []string
	size, frees    int64
	atLeast        bool
	created, used  time.Time
}

// name is the name that people know best.
func (i *image) name() string {
	if len(i.going) > 0 {
		return i.going[0]
	}
	return i.staying[0]
}

// imagesOf gathers the names of images, in the order in which these first occur.
func imagesOf(records []prune.ImageDocument) (order []*image, byKey map[imageKey]*image) {
	byKey = make(map[imageKey]*image)
	for _, r := range records {
		i := byKey[keyOf(r)]
		if i == nil {
			i = &image{key: keyOf(r), size: r.SizeBytes, atLeast: r.SizeAtLeast, created: r.CreatedAt, used: r.LastUsedAt}
			byKey[i.key] = i
			order = append(order, i)
		}
		if i.frees += r.FreesBytes; r.CreatedAt.After(i.created) {
			i.created = r.CreatedAt
		}
		if r.Action == prune.Keep {
			i.staying = append(i.staying, r.Name)
		} else {
			i.going = append(i.going, r.Name)
		}
	}
	for _, i := range order {
		slices.SortFunc(i.going, prune.CompareNames)
		slices.SortFunc(i.staying, prune.CompareNames)
	}
	return order, byKey
}

// orders compare images: the largest number first, names and times ascending, as
// those of df do.
var orders = map[string]func(a, b *image) int{
	"name":      func(a, b *image) int { return strings.Compare(a.name(), b.name()) },
	"namespace": func(a, b *image) int { return strings.Compare(a.key.namespace, b.key.namespace) },
	"size":      func(a, b *image) int { return cmp.Compare(b.size, a.size) },
	"frees":     func(a, b *image) int { return cmp.Compare(b.frees, a.frees) },
	"created":   func(a, b *image) int { return a.created.Compare(b.created) },
	"used":      func(a, b *image) int { return a.used.Compare(b.used) },
}

// Orders are the keys by which the images of a plan can be sorted.
func Orders() []string { return slices.Sorted(maps.Keys(orders)) }

// ordering compares images by a key, which may begin with a - for the opposite.
func ordering(by string) func(a, b *image) int {
	key, reverse := strings.CutPrefix(by, "-")
	order := orders[cmp.Or(key, "namespace")]
	return func(a, b *image) int {
		first := order(a, b)
		if reverse {
			first = -first
		}
		return cmp.Or(first, strings.Compare(a.key.namespace, b.key.namespace), strings.Compare(a.name(), b.name()), cmp.Compare(a.key.target, b.key.target))
	}
}

// Ordered puts the images of a plan in order: what goes before what stays, the names of
// an image together.
func Ordered(records []prune.ImageDocument, by string) []prune.ImageDocument {
	_, images := imagesOf(records)
	compare := ordering(by)
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b prune.ImageDocument) int {
		if first := rank(a.Action) - rank(b.Action); first != 0 {
			return first
		}
		return cmp.Or(compare(images[keyOf(a)], images[keyOf(b)]), prune.CompareNames(a.Name, b.Name))
	})
	return sorted
}

func rank(action prune.Action) int {
	return slices.Index([]prune.Action{prune.Remove, prune.StandIn, prune.Keep}, action)
}

// First are the names of the first images of those in order, all if most is 0.
func First(records []prune.ImageDocument, most int) []prune.ImageDocument {
	seen := make(map[imageKey]bool)
	for i, r := range records {
		if seen[keyOf(r)] = true; most > 0 && len(seen) > most {
			return records[:i]
		}
	}
	return records
}
