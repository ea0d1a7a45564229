package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	defaultNamespace = "default"
	envNamespace     = "CONTAINERD_NAMESPACE"
)

// policyOptions say what may be removed, as it was typed.
type policyOptions struct {
	flags      *pflag.FlagSet
	all        bool
	until      []string
	filters    []string
	namespaces []string
	everywhere bool
	prefixes   []string
}

func (o *policyOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.BoolVarP(&o.all, "all", "a", false, "every unused image, not only dangling ones")
	fs.StringArrayVar(&o.until, "until", nil, "only images of at least this `AGE`, such as 72h, 3d or 2w, or from before a time, such as 2026-01-31 (repeatable)")
	fs.StringArrayVar(&o.filters, "filter", nil, "only images that match `KEY=VALUE`, see the filters below (repeatable)")
	fs.StringArrayVarP(&o.namespaces, "namespace", "n", nil, "prune this `NAMESPACE` (repeatable; $"+envNamespace+" or \""+defaultNamespace+"\" if not given)")
	fs.BoolVar(&o.everywhere, "all-namespaces", false, "prune every namespace, each by the rules of the clients found in it")
	fs.StringArrayVar(&o.prefixes, "dangling-prefix", nil, "take names of the form `PREFIX`@DIGEST for dangling too, as buildkit's dangling-name-prefix makes them (repeatable)")
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
	case fromEnv != "":
		p.Namespaces = []string{fromEnv}
	default:
		p.Namespaces, p.MissingOK = []string{defaultNamespace}, true
	}
	return nil
}
