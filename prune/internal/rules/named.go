package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Resolve returns the policy with the images that its filters name looked up in
// the chosen namespaces, once: what the same text means later, or how old that
// image is then, does not count. The error is a *[PolicyError] with a code.
func (p Policy) Resolve(chosen []*inventory.Namespace, st store.StoreInfo) (Policy, error) {
	if p.named != nil {
		return p, nil
	}
	f := finder{policy: p, chosen: chosen, store: st, known: make(map[string][]namedRecord)}
	ids, byID := p.ids()
	named := make(map[string]resolved, len(chosen))
	for _, ns := range chosen {
		all, err := p.Filters.Resolve(f.subjects(ns))
		if err != nil {
			return p, err
		}
		found := resolved{all: all}
		if byID {
			if found.ids, err = ids.Resolve(f.subjects(ns)); err != nil {
				return p, err
			}
			found.byID = true
		}
		named[ns.Name] = found
	}
	p.named = named
	return p, nil
}

// resolved are the filters of a policy as they judge in a namespace.
type resolved struct {
	all filters.Set
	// ids are those that name images by id=, if there are any.
	ids  filters.Set
	byID bool
}

// ids are the filters that name images by id=, if there are any.
func (p Policy) ids() (filters.Set, bool) {
	typed := slices.DeleteFunc(p.Filters.Strings(), func(f string) bool { return !strings.HasPrefix(f, "id=") })
	set, err := filters.Parse(filters.Options{All: true, Filters: typed}, time.Time{})
	return set, err == nil && len(typed) > 0
}

// hint adds to a decision whether a filter names the record, and what a person
// may have expected of a label.
func (j *Judge) hint(d *Decision) {
	u := j.Units[d.Target.Digest]
	if ids := j.policy.named[d.Namespace]; ids.byID {
		v := ids.ids.Match(j.subject(u, d.Image), j.now)
		d.Named = v.Match || v.Name != "" // or it has another name, which is not named
	}
	switch {
	case d.ReasonCode == cause.CodeLabelMissing:
		if label, has := labelled(d.Image, d.ReasonParts.Filter); has {
			d.Details = append(d.Details, cause.Because(cause.CodeRecordLabel, cause.Parts{Label: label}))
		}
	case d.Action == Remove && len(d.Image.Labels) > 0:
		d.Details = append(d.Details, Lookalikes(j.ns, d.Image, func() *Unit { return u })...)
	}
}

// labelled says whether a record itself has the label that a filter label= asks
// for.
func labelled(record *images.Image, filter string) (string, bool) {
	key, want, valued := strings.Cut(strings.TrimPrefix(filter, "label="), "=")
	value, has := record.Labels[key]
	return key + "=" + value, has && (!valued || value == want)
}

// subjects finds what texts name, as filters see it in a namespace.
func (f *finder) subjects(ns *inventory.Namespace) func(string) ([]filters.Subject, error) {
	return func(text string) ([]filters.Subject, error) {
		found, err := f.find(text)
		subjects := make([]filters.Subject, len(found))
		for i, r := range found {
			subjects[i].Born = r.born
			if r.ns == ns {
				subjects[i].Names = []string{r.record.Name}
			}
		}
		return subjects, err
	}
}

// filtersOf are the filters as they judge in a namespace.
func (p Policy) filtersOf(namespace string) filters.Set {
	if set, ok := p.named[namespace]; ok {
		return set.all
	}
	return p.Filters
}

// finder finds the records that texts name in several namespaces.
type finder struct {
	policy   Policy
	chosen   []*inventory.Namespace
	store    store.StoreInfo
	catalogs []*Catalog
	known    map[string][]namedRecord
}

// namedRecord is a record that a text names.
type namedRecord struct {
	ns     *inventory.Namespace
	record *images.Image
	born   time.Time
}

// find finds what a text names: the records of that name, as clients complete
// it, or else all records of the image with that ID, or with the only ID that
// begins so.
func (f *finder) find(text string) ([]namedRecord, error) {
	if found, ok := f.known[text]; ok {
		return found, nil
	}
	if f.catalogs == nil {
		for _, ns := range f.chosen {
			f.catalogs = append(f.catalogs, NewCatalog(ns, gc.ParseVersion(f.store.Version)))
		}
	}
	var found []namedRecord
	for _, c := range f.catalogs {
		found = append(found, recordsIn(c, c.called(text))...)
	}
	if len(found) == 0 {
		var err error
		if found, err = f.withID(text); err != nil {
			return nil, err
		}
	}
	f.known[text] = found
	return found, nil
}

// withID finds the records of the only image whose ID begins with a text.
func (f *finder) withID(text string) ([]namedRecord, error) {
	byID := make(map[digest.Digest][]namedRecord)
	for _, c := range f.catalogs {
		for dgst, units := range c.identified(text) {
			for _, u := range units {
				byID[dgst] = append(byID[dgst], recordsIn(c, u.Records)...)
			}
		}
	}
	var all [][]namedRecord
	for _, found := range byID {
		same := func(other []namedRecord) bool { return slices.Equal(keysOf(found), keysOf(other)) }
		if !slices.ContainsFunc(all, same) {
			all = append(all, found)
		}
	}
	switch len(all) {
	case 0:
		return nil, &cause.CodeError{Code: "no-such-image", Err: &PolicyError{f.nothing(text)}}
	case 1:
		return all[0], nil
	}
	names := someNames(slices.Concat(all...))
	return nil, &cause.CodeError{Code: "ambiguous-image", Err: &PolicyError{
		fmt.Sprintf("%d images have an ID that begins with %q: %s; give more of it, or a name", len(all), text, names),
	}}
}

// nothing says that no image is named so, and which there are that may be meant.
func (f *finder) nothing(text string) string {
	where := "in the chosen namespaces"
	if len(f.chosen) == 1 {
		where = fmt.Sprintf("in namespace %q", f.chosen[0].Name)
	}
	said := fmt.Sprintf("no image %s is named %q, and none has an ID that begins so", where, text)
	if hex, ok := beginningOfID(text); ok && len(hex) < MinPrefix {
		said = fmt.Sprintf("no image %s is named %q; of an ID give at least %d digits", where, text, MinPrefix)
	}
	var near []namedRecord
	for _, c := range f.catalogs {
		for i := range c.ns.Images {
			if record := &c.ns.Images[i]; resembles(record.Name, text) {
				near = append(near, recordsIn(c, []*images.Image{record})...)
			}
		}
	}
	if len(near) > 0 {
		said += "; there are " + someNames(near)
	}
	return said
}

// called lists the records that a text names: one of exactly that name, or that
// a client reads it as, or those of a repository with that digest.
func (c *Catalog) called(text string) []*images.Image {
	if found := c.record(text); len(found) > 0 || len(text) > maxName {
		return found
	}
	ref, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return nil
	}
	digested, ok := ref.(reference.Digested)
	if !ok || c.Units[digested.Digest()] == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Units[digested.Digest()].Records), func(record *images.Image) bool {
		return repository(record.Name) != ref.Name()
	})
}

// identified finds the units whose target or whose config, which Docker and CRI
// take for the ID of an image, begins with a text, by that digest.
func (c *Catalog) identified(text string) map[digest.Digest][]*Unit {
	found := make(map[digest.Digest][]*Unit)
	for dgst := range c.beginning(text) {
		if u := c.Units[dgst]; u != nil {
			found[dgst] = []*Unit{u}
		} else if slices.ContainsFunc(c.Parents[dgst], func(parent digest.Digest) bool { return c.configures(parent, dgst) }) {
			found[dgst] = c.above(dgst)
		}
	}
	return found
}

// configures says whether a blob is the config of a manifest.
func (c *Catalog) configures(manifest, blob digest.Digest) bool {
	return slices.ContainsFunc(c.ns.Blobs[manifest].Labels, func(l inventory.Label) bool {
		return strings.HasSuffix(l.Key, ".config") && l.Value == blob.String()
	})
}

func recordsIn(c *Catalog, records []*images.Image) []namedRecord {
	all := make([]namedRecord, len(records))
	for i, record := range records {
		all[i] = namedRecord{c.ns, record, born(c.ns, record)}
	}
	return all
}

func keysOf(records []namedRecord) []string {
	keys := make([]string, len(records))
	for i, r := range records {
		keys[i] = r.ns.Name + "/" + r.record.Name
	}
	slices.Sort(keys)
	return keys
}

// mostNames is how many names an error lists.
const mostNames = 5

// someNames lists names as people spell them.
func someNames(records []namedRecord) string {
	var names []string
	for _, r := range records {
		names = append(names, fmt.Sprintf("%q", Familiar(r.record.Name)))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if more := len(names) - mostNames; more > 0 {
		names = append(names[:mostNames], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// resembles says whether a person who types a text may mean a name: another tag of
// that repository, or one in a registry or an organisation that was left out.
func resembles(name, text string) bool {
	repo, typed := repository(name), repository(text)
	if repo == "" || typed == "" {
		return false
	}
	short := strings.TrimPrefix(strings.TrimPrefix(typed, "docker.io/"), "library/")
	return repo == typed || strings.HasSuffix(repo, "/"+short)
}

// repository is what a name says without tag and digest, "" if it is none.
func repository(name string) string {
	if len(name) > maxName {
		return ""
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	return ref.Name()
}
