package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	envNamespace   = "CONTAINERD_NAMESPACE"
	flagIngests    = "ingests"
	leastIngestAge = 24 * time.Hour
)

// policyOptions say what may be removed, as it was typed.
type policyOptions struct {
	all        bool
	until      []string
	filters    []string
	namespaces []string
	everywhere bool
	prefixes   []string
	ingests    string
	// looking says that nothing is removed: all namespaces are looked at
	// unless some are named.
	looking bool
}

func (o *policyOptions) add(fs *pflag.FlagSet) {
	o.addChoice(fs)
	fs.StringArrayVarP(&o.namespaces, "namespace", "n", nil, "prune this `NAMESPACE` (repeatable; $"+envNamespace+" or \""+text.DefaultNamespace+"\" if not given)")
	fs.BoolVar(&o.everywhere, "all-namespaces", false, "prune every namespace, each by the rules of the clients found in it")
	o.addPrefixes(fs)
	fs.StringVar(&o.ingests, flagIngests, "", "also abort unfinished uploads that no lease holds and that were last written to at least this `AGE` ago, 24h or more")
	fs.Lookup(flagIngests).NoOptDefVal = "24h"
}

// addLooking adds the flags of a command that says what a prune would do.
func (o *policyOptions) addLooking(fs *pflag.FlagSet) {
	o.addChoice(fs)
	o.addPrefixes(fs)
	o.addScope(fs)
}

// addScope adds only the choice of namespaces to look at.
func (o *policyOptions) addScope(fs *pflag.FlagSet) {
	o.looking = true
	fs.StringArrayVarP(&o.namespaces, "namespace", "n", nil, "look only at this `NAMESPACE` (repeatable; $"+envNamespace+", or every namespace, if not given)")
	fs.BoolVar(&o.everywhere, "all-namespaces", false, "look at every namespace, whatever $"+envNamespace+" says")
}

func (o *policyOptions) addPrefixes(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.prefixes, "dangling-prefix", nil, "take names of the form `PREFIX`@DIGEST for dangling too, as buildkit's dangling-name-prefix makes them (repeatable)")
}

func (o *policyOptions) addChoice(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.all, "all", "a", false, "every unused image, not only dangling ones")
	fs.StringArrayVar(&o.until, "until", nil, "only images of at least this `AGE`, such as 72h, 3d or 2w, or from before a time, such as 2026-01-31 (repeatable)")
	fs.StringArrayVar(&o.filters, "filter", nil, "only images that match `KEY=VALUE`, see the filters below (repeatable)")
}

// policy turns what was typed into a policy. Errors are usage errors.
func (o *policyOptions) policy(getenv func(string) string, now time.Time) (prune.Policy, error) {
	set, err := filters.Parse(filters.Options{All: o.all, Until: o.until, Filters: o.filters}, now)
	if err != nil {
		return prune.Policy{}, err
	}
	for _, prefix := range o.prefixes {
		if prefix == "" || strings.Contains(prefix, "@") {
			return prune.Policy{}, usagef("--dangling-prefix %q is no prefix: give what stands before the @ of such names", prefix)
		}
	}
	p := prune.Policy{Filters: set, DanglingPrefixes: o.prefixes}
	if p.IngestAge, err = o.ingestAge(); err != nil {
		return prune.Policy{}, err
	}
	return p, o.scope(&p, getenv)
}

// scope sets the namespaces. Only the built-in default may be missing: a
// namespace that somebody named and that does not exist is a slip.
func (o *policyOptions) scope(p *prune.Policy, getenv func(string) string) error {
	for _, ns := range o.namespaces {
		if ns == "" {
			return usagef("--namespace is empty: give the name of a namespace, or --all-namespaces")
		}
	}
	fromEnv := getenv(envNamespace)
	switch {
	case o.everywhere && len(o.namespaces) > 0:
		return usagef("--namespace and --all-namespaces contradict each other: choose one of them")
	case o.everywhere:
		p.AllNamespaces = true
	case len(o.namespaces) > 0:
		p.Namespaces = o.namespaces
	case o.looking && fromEnv == "":
		p.AllNamespaces = true
	case fromEnv != "":
		p.Namespaces = []string{fromEnv}
	default:
		p.Namespaces, p.MissingOK = []string{text.DefaultNamespace}, true
	}
	return nil
}

// ingestAge is the age from which an upload counts as abandoned, 0 if uploads
// are left alone. A pull over a bad line may rest for hours.
func (o *policyOptions) ingestAge() (time.Duration, error) {
	if o.ingests == "" {
		return 0, nil
	}
	age, err := filters.ParseAge(o.ingests)
	switch {
	case err != nil:
		return 0, usagef("--%s=%s: %s", flagIngests, o.ingests, err)
	case age < leastIngestAge:
		return 0, usagef("--%s=%s is too young: an upload may rest for hours, so give 24h or more", flagIngests, o.ingests)
	}
	return age, nil
}
