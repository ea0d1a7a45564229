package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	flagPolicy     = "policy"
	flagKeepLast   = "keep-last"
	flagKeepWithin = "keep-within"
	flagUsedWithin = "used-within"
	flagProtect    = "protect"
)

// ruleOfFlags is the name of the rule that flags make.
const ruleOfFlags = "command line"

// retentionOptions are a policy file, or flags that are one of a single rule.
type retentionOptions struct {
	flags    *pflag.FlagSet
	file     string
	last     int
	within   string
	used     string
	patterns []string
}

// add adds the flags.
func (o *retentionOptions) add(fs *pflag.FlagSet) {
	o.addFile(fs)
	fs.IntVar(&o.last, flagKeepLast, 0, "keep the newest `N` images of each repository")
	fs.StringVar(&o.within, flagKeepWithin, "", "keep images that are younger than this `AGE`")
	fs.StringVar(&o.used, flagUsedWithin, "", "keep images that were used within this `AGE`; as long as nobody watches use, that is all")
	fs.StringArrayVar(&o.patterns, flagProtect, nil, "keep images whose name matches this `PATTERN`, in which * is any text between two slashes and ** any text (repeatable)")
}

// addFile adds only the flag for a file.
func (o *retentionOptions) addFile(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.file, flagPolicy, "", "of all unused images, remove only those that the policy in this `FILE` lets go; other flags narrow that down")
}

func (o *retentionOptions) given(flag string) bool {
	return o.flags != nil && o.flags.Lookup(flag) != nil && o.flags.Changed(flag)
}

// check returns an error for flags that cannot be used together. Narrow says that
// only dangling images may go.
func (o *retentionOptions) check(narrow bool) error {
	for _, flag := range []string{flagKeepLast, flagKeepWithin, flagUsedWithin} {
		if o.file != "" && o.given(flag) {
			return usagef("--%s and --%s contradict each other: write what to keep into a rule of the file", flag, flagPolicy)
		}
	}
	switch {
	case o.given(flagKeepLast) && o.last < 1:
		return usagef("--%s=%d is not above zero: give how many images to keep of each repository", flagKeepLast, o.last)
	case o.given(flagKeepLast) && narrow:
		return usagef("--%s is about images that have a name, and without --all only dangling ones are removed: add --all", flagKeepLast)
	}
	return nil
}

// everything says that the file chooses among all images: then --all adds
// nothing.
func (o *retentionOptions) everything(filters []string) bool {
	return o.file != "" && !slices.ContainsFunc(filters, func(f string) bool { return strings.HasPrefix(f, "dangling=") })
}

// retention is the policy of the file or the flags, nil if there is none.
func (in *invocation) retention(ctx context.Context) (*prune.Retention, error) {
	o := &in.options.policy.retention
	rule := o.given(flagKeepLast) || o.given(flagKeepWithin) || o.given(flagUsedWithin)
	if o.file == "" && !rule && len(o.patterns) == 0 {
		return nil, nil
	}
	var err error
	r := &prune.Retention{}
	if o.file != "" {
		if r, err = readRetention(ctx, in.process, o.file, in.options.clients.insecureFile); err != nil {
			return nil, err
		}
	} else if r, err = r.WithRule(ruleOfFlags, o.last, o.within, o.used); err != nil {
		return nil, usagef("--%s or --%s: %s", flagKeepWithin, flagUsedWithin, err)
	}
	if r, err = r.Protecting(o.patterns...); err != nil {
		return nil, usagef("--%s: %s", flagProtect, err)
	}
	return r, nil
}

// readRetention reads a policy file. All that is wrong with it is an error of the
// command line, each problem one of its own.
func readRetention(ctx context.Context, p process, file string, insecure bool) (*prune.Retention, error) {
	r, err := prune.ReadRetention(ctx, file, insecure, caller(p))
	if err == nil || ctx.Err() != nil {
		return r, stopped(ctx, err)
	}
	return nil, unusable(err)
}

// unusable makes usage errors of joined errors.
func unusable(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return usagef("%s", text.Error(err))
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, unusable(e))
	}
	return errors.Join(all...)
}
