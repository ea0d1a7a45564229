package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
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
	inv, now, err := o.read(ctx, p, store, policy, prune.ReadOptions{LeaseSizes: true})
	if err != nil {
		return nil, now, err
	}
	chosen := []prune.LeaseInfo{}
	for _, l := range inv.Leases(now) {
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
