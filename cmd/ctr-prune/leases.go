package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const leasesLong = `List the leases of the store. With a lease, a client holds what no image names:
a pull in progress, a build cache, or what a run with --grace removed. ALONE is
what nothing but this lease holds: what would be freed without it.

ctr-prune leases prune makes containerd remove those that have expired. All
others are explained but never touched, because only their owner knows whether
they are needed.`

func leaseShape() format.Shape[leaseRow] { return rowShape("a lease", leaseRow{}) }

func newLeases(p process) *cobra.Command {
	o := &commonOptions{}
	cmd := &cobra.Command{
		Use:     "leases [flags]",
		Short:   "List leases, and what nothing else holds",
		Long:    leasesLong,
		Example: "  ctr-prune leases\n\n  # What is safe to remove\n  ctr-prune leases prune --dry-run\n\n  # The largest, for a script\n  ctr-prune leases --format '{{.ID}} {{.Alone}}'",
		Args:    noArguments,
		RunE:    work[leaseRow]{o, leaseShape(), nil, nil, listLeases}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsLooking))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each lease, see the fields below", "the IDs of the leases") })
	templateHelp(cmd, leaseShape())
	completeFlags(cmd, p, o)
	cmd.AddCommand(newLeasesPrune(p))
	return cmd
}

// leaseRow is a lease in templates.
type leaseRow struct {
	Namespace, ID, Kind string
	CreatedAt           time.Time
	// Age and Expires have the form of the table.
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

func listLeases(ctx context.Context, in *invocation, out *format.Output[leaseRow]) error {
	list, err := in.leases(ctx)
	if err != nil {
		return err
	}
	return in.showLeases(out, list)
}

// showLeases shows a list of leases. That there are none is not a result, and goes
// to stderr.
func (in *invocation) showLeases(out *format.Output[leaseRow], list []prune.LeaseInfo) error {
	if len(list) == 0 && in.options.output.table() {
		return in.say("There are no leases.")
	}
	return out.Show(leasesResult(in.header(leasesSchema, "leases"), list, naming(in.policy.AllNamespaces, in.policy.Namespaces)))
}

// leases reads the store and lists the leases of the chosen namespaces.
func (in *invocation) leases(ctx context.Context) ([]prune.LeaseInfo, error) {
	var all []prune.LeaseInfo
	err := in.read(ctx, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
		all, err = prune.Leases(ctx, in.store, now, opts)
		return err
	})
	chosen := []prune.LeaseInfo{}
	for _, l := range text.AdviseLeases(all) {
		if in.chosen(l.Namespace) {
			chosen = append(chosen, l)
		}
	}
	return chosen, err
}

func leasesResult(head header, list []prune.LeaseInfo, name func(namespace, name string) string) format.Result[leaseRow] {
	now := head.Time
	return format.Result[leaseRow]{
		Doc:   leasesDocument{head, list},
		Lines: func() []any { return each(list, func(l prune.LeaseInfo) any { return leaseEvent{"lease", l} }) },
		Rows:  func() []leaseRow { return leaseRows(list, now) },
		Names: func() []string { return leaseNames(list, name) },
		Text:  func(out *terminal.Printer) { text.Leases(out, list, now) },

		Remarks: func() []github.Remark { return text.LeasesRemarks(list) },
	}
}

func leaseNames(list []prune.LeaseInfo, name func(namespace, name string) string) []string {
	return each(list, func(l prune.LeaseInfo) string { return name(l.Namespace, l.ID) })
}

const leasesPruneLong = `Finish interrupted runs of ctr-prune, and make containerd collect garbage, which
removes the leases that have expired. ctr-prune deletes no lease of another
client itself: one that has been renewed by then is kept, and reported. All
other leases are kept, too, and the reason is shown.

Garbage is collected in all namespaces: leases that have expired elsewhere, or
while the question was open, are removed as well, and reported.`

// leasesPruneOptions are the flags of leases prune.
type leasesPruneOptions struct {
	commonOptions
	dryRun bool
	force  bool
}

func newLeasesPrune(p process) *cobra.Command {
	o := &leasesPruneOptions{}
	cmd := &cobra.Command{
		Use:   "prune [flags]",
		Short: "Remove expired leases, and finish interrupted runs",
		Long:  leasesPruneLong,
		Args:  noArguments,
		RunE:  work[leaseRow]{&o.commonOptions, leaseShape(), nil, func() bool { return !o.dryRun }, o.do}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsWorking))
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) {
		fs.BoolVar(&o.dryRun, "dry-run", false, "show what would be done and why, and change nothing")
		addForce(fs, &o.force)
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each lease, see the fields below", "the IDs of the leases") })
	templateHelp(cmd, leaseShape())
	completeFlags(cmd, p, &o.commonOptions)
	return cmd
}

// prunedLeases is the output of --format json after a prune of leases.
type prunedLeases struct {
	leasesDocument
	prune.PrunedLeases
}

func (o *leasesPruneOptions) do(ctx context.Context, in *invocation, out *format.Output[leaseRow]) error {
	all, err := in.leases(ctx)
	if err != nil {
		return err
	}
	if o.dryRun {
		return in.showLeases(out, all)
	}
	if err := in.askable(o.force, "remove leases without asking, or --dry-run to only look"); err != nil {
		return err
	}
	doomed := withAction(all, prune.Remove)
	if yes, err := o.sure(ctx, in, all, doomed); err != nil || !yes {
		return err
	}
	done := &prunedLeases{leasesDocument: leasesDocument{in.header(leasesSchema, "leases-prune"), all}}
	err = done.remove(ctx, in, doomed)
	return firstError(out.Show(done.result(naming(in.policy.AllNamespaces, in.policy.Namespaces))), err)
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

// sure shows what would be removed and asks for confirmation, unless that is
// nothing or -f was given.
func (o *leasesPruneOptions) sure(ctx context.Context, in *invocation, all, doomed []prune.LeaseInfo) (bool, error) {
	if o.force || len(doomed) == 0 {
		return true, nil
	}
	return in.confirmed(ctx, "Remove these leases? [y/N] ", func(out *terminal.Printer) {
		text.Leases(out, doomed, in.readAt)
		out.Line("")
		out.Sentence("%s of %s would be removed.", strconv.Itoa(len(doomed)), terminal.Count(len(all), "lease"))
	})
}

// remove finishes interrupted runs, requests a collection, and records what was
// freed.
func (d *prunedLeases) remove(ctx context.Context, in *invocation, doomed []prune.LeaseInfo) (err error) {
	d.PrunedLeases = prune.PrunedLeases{Removed: []prune.LeaseInfo{}, Renewed: []prune.LeaseInfo{}, Recovered: []prune.Recovered{}}
	if len(doomed) == 0 {
		return nil
	}
	var pruned *prune.PrunedLeases
	in.change(ctx, prune.ExecuteOptions{}, func(opts prune.ExecuteOptions) {
		pruned, err = prune.PruneLeases(ctx, in.store, d.Leases, opts)
	})
	d.PrunedLeases = *pruned
	text.AdviseLeases(d.Renewed)
	if d.Interrupted {
		return in.cutShort(fmt.Sprintf("%s; what was begun was finished: run it again for the rest", context.Cause(ctx)))
	}
	if !d.Begun {
		err = stopped(ctx, err)
	}
	return firstError(busyOf(err), err)
}

func (d *prunedLeases) result(name func(namespace, name string) string) format.Result[leaseRow] {
	return format.Result[leaseRow]{
		Doc: d, Lines: d.lines, Rows: func() []leaseRow { return leaseRows(d.Removed, d.Time) },
		Names: func() []string { return leaseNames(d.Removed, name) }, Text: func(out *terminal.Printer) { text.PrunedLeases(out, d.Leases, d.PrunedLeases) },

		Remarks: func() []github.Remark { return text.PrunedLeasesRemarks(d.PrunedLeases) },
		Figures: func() []github.Figure { return text.Removed(len(d.Removed), d.Reclaimed) },
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
