package retention

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
)

// Policy is a policy file. The zero value has no rules, so that everything
// stays. Only [Parse] and the methods below make others; nobody changes one.
type Policy struct {
	Protect Protect
	// MinAge keeps what is younger, whatever the rules say.
	MinAge Age
	// Rules are asked in their order: the first that matches decides, and what
	// none matches stays.
	Rules []Rule
	Fuse  Fuse
	// Disk says when disks are full.
	Disk Disk
	// Resident are the sections of the file that only a resident of the node
	// reads. They are parsed as strictly as all others.
	Resident []string
	// Serve is how a resident of the node works.
	Serve Serve
	// Sum is of the bytes that the policy was read from: the file and those that it
	// names. Another sum means that one of them has changed.
	Sum [sha256.Size]byte

	// protected and rules find the pattern, or the rule, of a name; keeping are
	// the filters that protect.
	protected, rules index
	labels, young    filters.Set
}

// Protect is what always stays.
type Protect struct {
	// Names are patterns, Files the files that have more of them.
	Names, Files []Pattern
	// Labels are those of an image's config, as KEY or KEY=VALUE.
	Labels []string
}

// Rule says what to keep of the images that it matches.
type Rule struct {
	Name  string
	Match Match
	Keep  Keep
	// Last says that under pressure what the rule matches goes after all else, and
	// only when the disk is critical, then also before its time.
	Last bool

	at position
}

// Match chooses images. What is not given matches everything; what is given has
// to match all together.
type Match struct {
	Namespaces []Pattern
	Names      []Pattern
	Tags       []Pattern
	Dangling   *bool
}

// Keep says which of the matched images stay: those that one of the conditions
// keeps. Without any all go.
type Keep struct {
	All bool
	// Last keeps that many targets of each repository.
	Last int
	// Within and UsedWithin keep what is younger, or was used later.
	Within, UsedWithin Age
}

// Age is an age with the text that it was typed as.
type Age struct {
	Length time.Duration
	Typed  string
}

// ParseAge parses an age as [filters.ParseAge] does.
func ParseAge(typed string) (Age, error) {
	length, err := filters.ParseAge(typed)
	return Age{length, typed}, err
}

// Fuse bounds what one run may remove: that percentage of the records of the
// pruned namespaces, and so many. Zero is no bound.
type Fuse struct{ Images, Count int }

// NeedsLabels says whether the labels of configs are looked at.
func (p *Policy) NeedsLabels() bool { return p != nil && len(p.Protect.Labels) > 0 }

// WithRule returns the policy with one more rule, which matches everything. Ages
// that are empty, and a Last of zero, keep nothing.
func (p *Policy) WithRule(name string, last int, within, usedWithin string) (*Policy, error) {
	rule := Rule{Name: name, Match: Match{Names: []Pattern{everything}}, Keep: Keep{Last: last}}
	for _, condition := range []struct {
		age   *Age
		typed string
	}{{&rule.Keep.Within, within}, {&rule.Keep.UsedWithin, usedWithin}} {
		if condition.typed == "" {
			continue
		}
		age, err := ParseAge(condition.typed)
		if err != nil {
			return nil, err
		}
		*condition.age = age
	}
	changed := *p
	changed.Rules = append(slices.Clip(p.Rules), rule)
	return &changed, changed.prepare()
}

// Protecting returns the policy with more patterns of names that always stay.
func (p *Policy) Protecting(globs ...string) (*Policy, error) {
	changed := *p
	changed.Protect.Names = slices.Clip(p.Protect.Names)
	for _, glob := range globs {
		pattern, err := ParsePattern(glob)
		if err != nil {
			return nil, err
		}
		changed.Protect.Names = append(changed.Protect.Names, pattern)
	}
	return &changed, changed.prepare()
}

// prepare makes what finds rules and protection quickly.
func (p *Policy) prepare() (err error) {
	p.protected, p.rules = index{}, index{}
	for i := range p.Protect.Names {
		p.protected.add(i, &p.Protect.Names[i])
	}
	for i := range p.Rules {
		names := p.Rules[i].Match.Names
		for j := range names {
			p.rules.add(i, &names[j])
		}
		if len(names) == 0 {
			p.rules.add(i, nil)
		}
	}
	excluded := make([]string, len(p.Protect.Labels))
	for i, label := range p.Protect.Labels {
		excluded[i] = "label!=" + label
	}
	p.labels, err = filters.Parse(filters.Options{All: true, Filters: excluded}, time.Time{})
	if err != nil || p.MinAge.Length <= 0 {
		p.young = filters.Everything()
		return err
	}
	p.young, err = filters.Parse(filters.Options{All: true, Until: []string{p.MinAge.Typed}}, time.Time{})
	return err
}
