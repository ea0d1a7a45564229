package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

const usageLong = `Show what the store holds: by namespace, by who holds it, and by image.

SIZE is all that an image refers to. UNIQUE is what removing it alone, by all of
its names, would free; SHARED is what others need too. RECLAIMABLE is what goes
with it in a prune --all now. The totals count everything once, and are what the
disk holds.`

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
	session
	output  listOptions
	verbose bool
	sort    string
	filters []string
	html    string
}

func newUsage(p process, debug *bool) *cobra.Command {
	o := &usageOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "df [flags]",
		Short:   "Show what fills the store, and who holds it",
		Long:    usageLong,
		Example: usageExamples,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	addGroup(cmd, "What to look at", func(fs *pflag.FlagSet) {
		o.policy.addScope(fs)
		fs.StringArrayVar(&o.filters, "filter", nil, "only images that match `KEY=VALUE`, see below (repeatable)")
	})
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		fs.BoolVarP(&o.verbose, "verbose", "v", false, "also every blob and snapshot")
		fs.StringVar(&o.sort, "sort", "unique", "the order of images, by `KEY`: "+rankingNames()+"; with a - before it the other way round")
		o.output.add(fs, "each image", "the names of the images")
		addHTML(fs, &o.html)
	})
	templateHelp(cmd, "an image", usageRow{})
	cmd.Annotations[extraKey] = usageFilterHelp
	completeFlag(cmd, "filter", completeUsageFilter)
	completeSession(cmd, p, &o.session)
	completeFlag(cmd, "sort", fixed(rankingKeys()...))
	return cmd
}

// usageDocument is what --format json shows.
type usageDocument struct {
	header
	*prune.DiskUsage
}

// usageRow is what a template sees of an image.
type usageRow struct {
	Namespace, Name                                       string
	Names                                                 []string
	Target                                                string
	CreatedAt                                             time.Time
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
		AtLeast: i.AtLeast, Unused: i.Unused, Reason: i.Reason,
	}
}

func (o *usageOptions) run(ctx context.Context, p process) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "an image", usageRow{Names: []string{""}})
	if err != nil {
		return err
	}
	choose, err := o.chooser(p.now())
	if err != nil {
		return err
	}
	if err := checkHTML(p, o.html); err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		policy.Filters = filters.Everything()
		var usage *prune.DiskUsage
		_, err := o.reading(ctx, p, store, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
			usage, err = prune.ReadUsage(ctx, store.Store, policy, now, opts, o.verbose || o.html != "")
			return err
		})
		if err != nil {
			return err
		}
		text.AdviseUsage(usage)
		if o.html != "" {
			if err := writePage(p, o.html, htmlreport.Page{Usage: usage, Generated: p.now()}); err != nil {
				return err
			}
		}
		usage.Images = choose(usage.Images)
		return list.Show(o.content(usage, usage.Time))
	})
}

type imageUsageEvent struct {
	Type string `json:"type"`
	prune.ImageUsage
}

func (o *usageOptions) content(usage *prune.DiskUsage, now time.Time) format.Result[usageRow] {
	if !o.verbose {
		usage.Objects = nil
	}
	return format.Result[usageRow]{
		Doc:   usageDocument{header{usageSchema, "df", now}, usage},
		Lines: func() []any { return usageLines(usage, now) },
		Rows:  func() []usageRow { return each(usage.Images, usageRowOf) },
		Names: func() []string {
			return each(usage.Images, func(i prune.ImageUsage) string { return text.FirstName(i.Names) })
		},
		Text: func(out *terminal.Printer) { text.Usage(out, usage, now) },
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
