package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

const leasesLong = `List the leases of the store: by them clients hold what no image names, such as
a pull in progress, a build cache, or what a run with --grace removed. ALONE is
what a lease alone holds: what would be freed without it.

ctr-prune leases prune has containerd remove those that have expired. All others
are explained and never touched: only their owner knows whether they are needed.`

// leasesOptions are the flags of leases and of leases prune.
type leasesOptions struct {
	session
	output listOptions
	dryRun bool
	force  bool
}

func newLeases(p process, debug *bool) *cobra.Command {
	o := &leasesOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "leases [flags]",
		Short:   "List leases, and what each alone holds",
		Long:    leasesLong,
		Example: "  ctr-prune leases\n\n  # What is safe to remove\n  ctr-prune leases prune --dry-run\n\n  # The largest, for a script\n  ctr-prune leases --format '{{.ID}} {{.Alone}}'",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each lease", "the IDs of the leases") })
	templateHelp(cmd, "a lease", leaseRow{})
	completeSession(cmd, p, &o.session)
	cmd.AddCommand(newLeasesPrune(p, debug))
	return cmd
}

// leaseRow is what a template sees of a lease.
type leaseRow struct {
	Namespace, ID, Kind string
	CreatedAt           time.Time
	// Age and Expires are as the table shows them.
	Age, Expires   string
	Flat           bool
	Resources      int
	Alone          format.Bytes
	Action, Reason string
}

func leaseRows(list []prune.LeaseInfo, now time.Time) []leaseRow {
	rows := make([]leaseRow, len(list))
	for i, l := range list {
		rows[i] = leaseRow{
			Namespace: l.Namespace, ID: l.ID, Kind: string(l.Kind), CreatedAt: l.CreatedAt,
			Age: terminal.Ago(now, l.CreatedAt), Expires: terminal.Until(now, l.Expires), Flat: l.Flat, Resources: l.Resources,
			Alone: format.Bytes(l.Alone.TotalBytes), Action: string(l.Action), Reason: l.Reason,
		}
	}
	return rows
}

type leasesDocument struct {
	header
	Leases []prune.LeaseInfo `json:"leases"`
}

type leaseEvent struct {
	Type string `json:"type"`
	prune.LeaseInfo
}

func (o *leasesOptions) run(ctx context.Context, p process) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "a lease", leaseRow{})
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		leases, now, err := o.leases(ctx, p, store, policy)
		if err != nil {
			return err
		}
		return list.Show(leasesContent("leases", leases, now))
	})
}

// leases reads the store and lists the leases of the chosen namespaces.
func (o *leasesOptions) leases(ctx context.Context, p process, store opened, policy prune.Policy) ([]prune.LeaseInfo, time.Time, error) {
	var all []prune.LeaseInfo
	now, err := o.reading(ctx, p, store, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
		all, err = prune.Leases(ctx, store.Store, now, opts)
		return err
	})
	if err != nil {
		return nil, now, err
	}
	chosen := []prune.LeaseInfo{}
	for _, l := range text.AdviseLeases(all) {
		if policy.AllNamespaces || intersects([]string{l.Namespace}, policy.Namespaces) {
			chosen = append(chosen, l)
		}
	}
	return chosen, now, nil
}

func leasesContent(kind string, list []prune.LeaseInfo, now time.Time) format.Result[leaseRow] {
	return format.Result[leaseRow]{
		Doc:   leasesDocument{header{leasesSchema, kind, now}, list},
		Lines: func() []any { return each(list, func(l prune.LeaseInfo) any { return leaseEvent{"lease", l} }) },
		Rows:  func() []leaseRow { return leaseRows(list, now) },
		Names: func() []string { return each(list, leaseID) },
		Text:  func(out *terminal.Printer) { text.Leases(out, list, now) },
	}
}

func leaseID(l prune.LeaseInfo) string { return l.ID }

const leasesPruneLong = `Finish what interrupted runs of this program left, and have containerd collect
garbage, which takes the leases that have expired. No other client's lease is
deleted: if one that has expired is in use again by then, it stays, and that is
told. Every other lease stays, too, and the reason is told.

A collection is one of all namespaces: leases that have expired elsewhere, or
while the question waited, go as well, and are told.`

func newLeasesPrune(p process, debug *bool) *cobra.Command {
	o := &leasesOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:   "prune [flags]",
		Short: "Have expired leases collected, and finish interrupted runs",
		Long:  leasesPruneLong,
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.prune(cmd.Context(), p) },
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) {
		fs.BoolVar(&o.dryRun, "dry-run", false, "show what would be done and why, and do nothing")
		fs.BoolVarP(&o.force, "force", "f", false, "do not ask")
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each lease", "the IDs of the leases") })
	templateHelp(cmd, "a lease", leaseRow{})
	completeSession(cmd, p, &o.session)
	return cmd
}

// prunedLeases is what --format json shows after a prune of leases.
type prunedLeases struct {
	leasesDocument
	prune.PrunedLeases
}

func (o *leasesOptions) prune(ctx context.Context, p process) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "a lease", leaseRow{})
	if err != nil {
		return err
	}
	if !o.dryRun && !o.force && !p.isTerminal(p.stdin) {
		return noTerminal("remove leases")
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		all, now, err := o.leases(ctx, p, store, policy)
		if err != nil {
			return err
		}
		doomed := withAction(all, prune.Remove)
		if o.dryRun {
			return list.Show(leasesContent("leases", all, now))
		}
		if yes, err := o.sure(ctx, p, all, doomed, now); err != nil || !yes {
			return err
		}
		done := &prunedLeases{leasesDocument: leasesDocument{header{leasesSchema, "leases-prune", now}, all}}
		err = o.remove(ctx, p, store, done, doomed)
		return firstError(list.Show(done.content()), err)
	})
}

func withAction(all []prune.LeaseInfo, action prune.Action) []prune.LeaseInfo {
	chosen := []prune.LeaseInfo{}
	for _, l := range all {
		if l.Action == action {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// sure shows what would go and asks, unless nothing would or it was forced.
func (o *leasesOptions) sure(ctx context.Context, p process, all, doomed []prune.LeaseInfo, now time.Time) (bool, error) {
	if o.force || len(doomed) == 0 {
		return true, nil
	}
	out := p.printer(p.stderr)
	text.Leases(out, doomed, now)
	out.Line("")
	out.Line("%s of %s would go.", strconv.Itoa(len(doomed)), terminal.Count(len(all), "lease"))
	answer, err := question(ctx, p, out, "Remove these leases? [y/N] ", false)
	if err != nil || answer != terminal.Yes {
		return false, firstError(err, p.say("Nothing was removed."))
	}
	return true, nil
}

// remove finishes interrupted runs, has containerd collect, and tells what is
// gone. Another run under way is told as such, and nothing else.
func (o *leasesOptions) remove(ctx context.Context, p process, store opened, done *prunedLeases, doomed []prune.LeaseInfo) error {
	done.PrunedLeases = prune.PrunedLeases{Removed: []prune.LeaseInfo{}, Renewed: []prune.LeaseInfo{}, Recovered: []prune.Recovered{}}
	if len(doomed) == 0 {
		return nil
	}
	bar := o.progress(ctx, p)
	defer bar.stop()
	opts := prune.ExecuteOptions{Now: p.now, Sources: store.sources, Progress: bar.tell}
	var pruned *prune.PrunedLeases
	var err error
	whole(func() { pruned, err = prune.PruneLeases(ctx, store.Store, done.Leases, opts) })
	done.PrunedLeases = *pruned
	text.AdviseLeases(done.Renewed)
	var busy *leases.Busy
	if errors.As(err, &busy) {
		return busy
	}
	return stopped(ctx, err)
}

func (d *prunedLeases) content() format.Result[leaseRow] {
	return format.Result[leaseRow]{
		Doc: d, Lines: d.lines, Rows: func() []leaseRow { return leaseRows(d.Removed, d.Time) },
		Names: func() []string { return each(d.Removed, leaseID) }, Text: func(out *terminal.Printer) { text.PrunedLeases(out, d.Leases, d.PrunedLeases) },
	}
}

func (d *prunedLeases) lines() []any {
	var lines []any
	for _, l := range d.Removed {
		lines = append(lines, leaseEvent{"removed", l})
	}
	for _, l := range d.Renewed {
		lines = append(lines, leaseEvent{"renewed", l})
	}
	return lines
}
