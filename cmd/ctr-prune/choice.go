package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
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
	for flag, age := range map[string]string{flagKeepWithin: o.within, flagUsedWithin: o.used} {
		if _, err := filters.ParseAge(age); err != nil && o.given(flag) {
			return usagef("--%s: %s", flag, err)
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
		return nil, usagef("%s", err)
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
	if missing := (*fs.PathError)(nil); errors.As(err, &missing) && missing.Path == file {
		return nil, usagef("the policy cannot be read: %s", missing)
	}
	return nil, unusable(err)
}

const (
	flagFree = "free"
	flagLow  = "low"
)

// reliefOptions say how much has to be freed, as typed.
type reliefOptions struct {
	free, low string

	// bytes and percent are what was typed, 0 if it was not.
	bytes   int64
	percent int
}

func (o *reliefOptions) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.free, flagFree, "", "of these images remove only as many as free this `SIZE`, such as 20GB or 500MiB, those first that were not used for longest; exit with 5 if that is not reached")
	fs.StringVar(&o.low, flagLow, "", "of these images remove only as many as bring each file system of containerd to this `PERCENT` in use or below, such as 65%; exit with 5 if that is not reached")
}

func (o *reliefOptions) given() bool { return o.free != "" || o.low != "" }

// check returns an error for what cannot be read.
func (o *reliefOptions) check() (err error) {
	if o.free != "" {
		if o.bytes, err = filters.ParseSize(o.free); err != nil {
			return usagef("--%s: %s", flagFree, err)
		}
		if o.bytes == 0 {
			return usagef("--%s=%s is not above zero: give a size such as 20GB", flagFree, o.free)
		}
	}
	if o.low == "" {
		return nil
	}
	digits, unit := strings.CutSuffix(o.low, "%")
	if o.percent, err = strconv.Atoi(digits); err != nil || !unit || o.percent < 1 || o.percent > 99 {
		return usagef("--%s=%s is not a percentage from 1%% to 99%%: give one such as 65%%", flagLow, o.low)
	}
	return nil
}

// pressure looks at the disks and says what has to be freed, nil if nobody asked.
// Of the section disk of a policy file, what protects counts here as well.
func (o *reliefOptions) pressure(ctx context.Context, store prune.Store, policy *prune.Retention) (*prune.Pressure, error) {
	if !o.given() {
		return nil, nil
	}
	var marks prune.DiskMarks
	if policy != nil {
		marks.Reserved, marks.Critical = policy.Disk.Reserved, policy.Disk.Critical
	}
	marks.Low = o.percent
	p, err := prune.Disks(ctx, store, marks)
	if err != nil {
		return nil, err
	}
	p.FreeBytes, p.Strict = o.bytes, o.percent > 0
	return p, nil
}

// short says what is missing, and returns the exit code if something is.
func (p process) short(relief *prune.Relief) error {
	if relief == nil || relief.Reached {
		return nil
	}
	why := "not enough was freed"
	if relief.Shortfall != nil {
		why = relief.Shortfall.Reason
	}
	return firstError(p.fault("%s", why), &saidError{exitShort})
}

// relieve carries out a plan in rounds, until enough is free, and shows the result
// as one.
func (o *actOptions) relieve(ctx context.Context, in *invocation, v *view, plan *prune.Plan, opts prune.ExecuteOptions) error {
	var done *prune.Relieved
	var err error
	in.change(ctx, opts, func(opts prune.ExecuteOptions) {
		o.patiently(ctx, in, func() error {
			done, err = prune.Relieve(ctx, in.store, plan, opts)
			return err
		})
	})
	if len(done.Reports) == 0 {
		return didNothing(ctx, err)
	}
	doc := rounds.Document(plan, done)
	doc = text.Advise(doc)
	return firstError(v.show(doc), in.picture(plan, doc), in.outcome(ctx, doc, err), stopped(ctx, err), in.short(doc.Relief))
}
