package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

const usageLong = `Show what fills the store: by holder, by namespace, and by image.

SIZE is everything that an image refers to. UNIQUE is what removing this image
alone, with all of its names, would free; SHARED is what others need too.
RECLAIMABLE is what it adds to what a prune --all would free now, or with
--policy a prune by that policy: what several images share that go counts for
one of them, so that the column adds up. Totals count everything once: they are
what is on the disk. ACTIVE is what something needs now: images that somebody
uses, all containers, leases and uploads that have not expired. With -n, the
images that are counted, and what is reclaimable, are those of the chosen
namespaces; sizes of types are those of the whole store.
docs/sizes.md says more.`

const usageExamples = `  # What fills my disk?
  ctr-prune df

  # What would a prune --all free, and of which images?
  ctr-prune df --sort reclaimable --filter unused=true

  # Down to layers and snapshots
  ctr-prune df -v

  # A map of the store for a browser
  ctr-prune df --html store.html`

// usageOptions are the flags of df.
type usageOptions struct {
	commonOptions
	verbose bool
	sort    string
	filters []string

	// choose filters and sorts the images according to the flags.
	choose func([]prune.ImageUsage) []prune.ImageUsage
}

func newUsage(p process) *cobra.Command {
	o := &usageOptions{}
	shape := rowShape("an image", usageRow{Names: []string{""}})
	cmd := &cobra.Command{
		Use:     "df [flags]",
		Short:   "Show what fills the store, and who holds it",
		Long:    usageLong,
		Example: usageExamples,
		Args:    noArguments,
		RunE:    work[usageRow]{&o.commonOptions, shape, o.refuse, nil, o.do}.run(p),
	}
	addGroup(cmd, "What to look at", func(fs *pflag.FlagSet) {
		o.policy.addScope(fs)
		o.policy.retention.addFile(fs)
		fs.StringArrayVar(&o.filters, "filter", nil, "only images that match `KEY=VALUE`, see below (repeatable)")
	})
	addGroup(cmd, "Where", o.store.adder(stopsLooking))
	addGroup(cmd, "Where", o.state.add)
	addGroup(cmd, "What else is in use", o.clients.adder("the file of --pods or --policy"))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		fs.BoolVarP(&o.verbose, "verbose", "v", false, "also list every blob and snapshot")
		fs.StringVar(&o.sort, "sort", "unique", "sort images by `KEY`: "+rankingNames()+"; a leading - reverses the order")
		o.output.add(fs, "each image, see the fields below", "the names of the images")
		o.output.addHTML(fs)
	})
	templateHelp(cmd, shape)
	cmd.Annotations[extraKey] = "df"
	completeFlag(cmd, "filter", completeUsageFilter)
	completeFlag(cmd, flagSort, fixed(rankingKeys()...))
	completeFlags(cmd, p, &o.commonOptions)
	return cmd
}

// usageDocument is the output of --format json.
type usageDocument struct {
	header
	*prune.DiskUsage
}

// usageRow is an image in templates.
type usageRow struct {
	Namespace, Name                                       string
	Names                                                 []string
	Target                                                string
	CreatedAt, LastUsedAt                                 time.Time
	LastUsedBy                                            string
	Size, Content, Snapshots, Shared, Unique, Reclaimable format.Bytes
	// AtLeast says that Size, Content, Snapshots and Shared are lower bounds.
	AtLeast, Unused bool
	Reason          string
}

func usageRowOf(i prune.ImageUsage) usageRow {
	return usageRow{
		Namespace: i.Namespace, Name: text.FirstName(i.Names), Names: i.Names, Target: string(i.Target), CreatedAt: i.CreatedAt,
		Size: format.Bytes(i.TotalBytes), Content: format.Bytes(i.ContentBytes), Snapshots: format.Bytes(i.SnapshotBytes),
		Shared: format.Bytes(i.SharedBytes), Unique: format.Bytes(i.UniqueBytes), Reclaimable: format.Bytes(i.ReclaimableBytes),
		LastUsedAt: i.LastUsedAt, LastUsedBy: i.LastUsedBy, AtLeast: i.AtLeast, Unused: i.Unused, Reason: i.Reason,
	}
}

func (o *usageOptions) refuse(_ context.Context, in *invocation) (err error) {
	o.choose, err = o.chooser(in.now())
	return err
}

func (o *usageOptions) do(ctx context.Context, in *invocation, out *format.Output[usageRow]) error {
	usage, err := o.usage(ctx, in)
	if err != nil {
		return err
	}
	if path := o.output.html; path != "" {
		if err := in.writePage(path, htmlreport.Page{Usage: usage, Generated: in.now()}); err != nil {
			return err
		}
	}
	usage.Images = o.choose(usage.Images)
	return out.Show(o.result(usage, naming(in.policy.AllNamespaces, in.policy.Namespaces)))
}

// usage reads what the store holds.
func (o *usageOptions) usage(ctx context.Context, in *invocation) (usage *prune.DiskUsage, err error) {
	policy := in.policy
	policy.Filters = filters.Everything()
	err = in.read(ctx, prune.ReadOptions{Origins: o.output.html != ""}, func(now time.Time, opts prune.ReadOptions) (err error) {
		usage, err = prune.ReadUsage(ctx, in.store, policy, now, opts, o.verbose || o.output.html != "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return text.AdviseUsage(usage), nil
}

type imageUsageEvent struct {
	Type string `json:"type"`
	prune.ImageUsage
}

func (o *usageOptions) result(usage *prune.DiskUsage, name func(namespace, name string) string) format.Result[usageRow] {
	if !o.verbose {
		usage.Objects = nil
	}
	now := usage.Time
	return format.Result[usageRow]{
		Doc:   usageDocument{header{usageSchema, "df", now}, usage},
		Lines: func() []any { return usageLines(usage, now) },
		Rows:  func() []usageRow { return each(usage.Images, usageRowOf) },
		Names: func() []string {
			return each(usage.Images, func(i prune.ImageUsage) string { return name(i.Namespace, text.FirstName(i.Names)) })
		},
		Text: func(out *terminal.Printer) { text.Usage(out, usage, now, o.sort) },

		Remarks: func() []github.Remark { return text.UsageRemarks(usage) },
		Figures: func() []github.Figure { return text.UsageFigures(usage) },
	}
}

func usageLines(usage *prune.DiskUsage, now time.Time) []any {
	lines := each(usage.Images, func(i prune.ImageUsage) any { return imageUsageEvent{"image", i} })
	total := *usage
	total.Images, total.Objects = []prune.ImageUsage{}, nil
	return append(lines, struct {
		Type string `json:"type"`
		usageDocument
	}{"summary", usageDocument{header{usageSchema, "df", now}, &total}})
}
