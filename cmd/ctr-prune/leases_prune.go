package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

const leasesPruneLong = `Remove the leases that are safe to remove: those that have expired, which
containerd itself no longer honours, and those that interrupted runs of this
program left, whose work is finished first. Every other lease stays, and the
reason is told.`

func newLeasesPrune(p process, debug *bool) *cobra.Command {
	o := &leasesOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:   "prune [flags]",
		Short: "Remove expired leases, and finish interrupted runs",
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
	// Removed are the leases that are gone.
	Removed   []prune.LeaseInfo `json:"removed"`
	Recovered []prune.Recovered `json:"recovered"`
	Reclaimed prune.Amount      `json:"reclaimed"`
	// Garbage is what nothing held already before: of an expired lease too.
	Garbage prune.Amount `json:"garbage"`
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
		inv, all, now, err := o.leases(ctx, p, store, policy)
		if err != nil {
			return err
		}
		doomed := withAction(all, prune.Remove)
		if o.dryRun {
			return list.show(leasesContent("leases", all, now))
		}
		if yes, err := o.sure(ctx, p, all, doomed, now); err != nil || !yes {
			return err
		}
		done, err := o.remove(ctx, p, store, policy, inv, doomed)
		done.leasesDocument = leasesDocument{header{leasesSchema, "leases-prune", now}, all}
		return firstError(list.show(done.content()), err)
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
	leasesTable(out, doomed, now)
	out.line("")
	out.line("%s of %s would go.", itoa(len(doomed)), plural(len(all), "lease"))
	answer, err := question(ctx, p, out, "Remove these leases? [y/N] ", false)
	if err != nil || answer != "y" {
		return false, firstError(err, p.say("Nothing was removed."))
	}
	return true, nil
}

// remove finishes interrupted runs, removes expired leases, and measures what
// is gone.
func (o *leasesOptions) remove(ctx context.Context, p process, store opened, policy prune.Policy, before *prune.Inventory, doomed []prune.LeaseInfo) (*prunedLeases, error) {
	done := &prunedLeases{Removed: []prune.LeaseInfo{}, Recovered: []prune.Recovered{}}
	var errs []error
	started := p.now()
	inv, now := before, started
	if unfinished := interruptedIn(doomed); len(unfinished) > 0 {
		recovered, err := o.finish(ctx, p, store, before, unfinished)
		done.Recovered = append(done.Recovered, recovered...)
		errs = append(errs, err)
		if inv, now, err = o.read(ctx, p, store, policy, prune.ReadOptions{}); err != nil {
			return done, errors.Join(append(errs, err)...)
		}
	}
	if len(doomed) == 0 {
		return done, nil
	}
	_, err := prune.PruneLeases(ctx, store.Store, inv, now, namespacesOf(doomed)...)
	errs = append(errs, err)
	after, _, err := o.read(ctx, p, store, policy, prune.ReadOptions{})
	if err != nil {
		return done, errors.Join(append(errs, err)...)
	}
	done.Removed = append(done.Removed, goneFrom(after, doomed)...)
	done.Reclaimed, done.Garbage, err = prune.Reclaimed(ctx, store.Store, before, after, started)
	return done, errors.Join(append(errs, err)...)
}

func namespacesOf(list []prune.LeaseInfo) []string {
	var all []string
	for _, l := range list {
		all = append(all, l.Namespace)
	}
	return all
}

// interruptedIn lists the namespaces in which killed runs of ours left a lock.
func interruptedIn(doomed []prune.LeaseInfo) []string {
	var found []string
	for _, l := range doomed {
		if l.Kind == leases.KindRun || l.Kind == leases.KindClaim {
			found = append(found, l.Namespace)
		}
	}
	return found
}

// finish does what killed runs had left to do, and removes nothing else.
func (o *leasesOptions) finish(ctx context.Context, p process, store opened, inv *prune.Inventory, unfinished []string) ([]prune.Recovered, error) {
	policy := prune.Nothing()
	policy.Namespaces, policy.MissingOK = unfinished, true
	plan, err := inv.Plan(policy, p.now())
	if err != nil {
		return nil, err
	}
	bar := o.progress(ctx, p)
	var report *prune.Report
	whole(func() {
		report, err = plan.Execute(ctx, store.Store, prune.ExecuteOptions{Now: p.now, Sources: store.sources, Progress: bar.tell})
	})
	bar.stop()
	if report == nil {
		var busy *leases.Busy
		if errors.As(err, &busy) {
			return nil, busy
		}
		return nil, stopped(ctx, err)
	}
	return report.Recovered, err
}

// goneFrom lists the doomed leases that the store no longer has.
func goneFrom(after *prune.Inventory, doomed []prune.LeaseInfo) []prune.LeaseInfo {
	present := make(map[[2]string]bool)
	for _, ns := range after.Namespaces {
		for _, l := range ns.Leases {
			present[[2]string{ns.Name, l.ID}] = true
		}
	}
	var gone []prune.LeaseInfo
	for _, l := range doomed {
		if !present[[2]string{l.Namespace, l.ID}] {
			gone = append(gone, l)
		}
	}
	return gone
}

func (d *prunedLeases) content() content[leaseRow] {
	var lines []any
	for _, l := range d.Removed {
		lines = append(lines, leaseEvent{"removed", l})
	}
	return content[leaseRow]{
		doc: d, lines: lines, rows: leaseRows(d.Removed, d.Time), name: func(r leaseRow) string { return r.ID },
		text: func(out *printer) {
			for _, r := range d.Recovered {
				recoveredText(out, r)
			}
			for _, l := range d.Removed {
				out.line("Removed: %slease %s (%s): %s", prefixOf(l.Namespace), out.name(l.ID), l.Kind, l.Reason)
			}
			for _, l := range withAction(d.Leases, prune.Keep) {
				out.line("Kept: %slease %s (%s): %s", prefixOf(l.Namespace), out.name(l.ID), l.Kind, l.Reason)
			}
			reclaimedText(out, d.Reclaimed, d.Garbage)
		},
	}
}
