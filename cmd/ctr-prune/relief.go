package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

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
