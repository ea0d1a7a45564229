package main

import (
	"context"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const planLong = `Write down what a prune with these flags would do, as a file to review and to
hand to ctr-prune apply, here or in a pipeline.

The file is what --dry-run --format json shows. It names the store that it is
for, and every image with what would become of it and why. Nothing is changed.`

const planExamples = `  # Decide now, do it after a review
  ctr-prune plan --all --until 72h -o plan.json
  ctr-prune apply plan.json

  # What would go, by jq
  ctr-prune plan --all | jq -r '.images[] | select(.action != "keep") | .name'`

// planOptions are the flags of plan.
type planOptions struct {
	session
	file string
	html string
}

func newPlan(p process, debug *bool) *cobra.Command {
	o := &planOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "plan [flags]",
		Short:   "Write a plan to a file, to be reviewed and applied later",
		Long:    planLong,
		Example: planExamples,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	addGroup(cmd, "What may go", o.policy.add)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		fs.StringVarP(&o.file, "output", "o", "-", "write the plan into this `FILE`, that only you may read; - is stdout")
		addHTML(fs, &o.html)
	})
	completeSession(cmd, p, &o.session)
	return cmd
}

func (o *planOptions) run(ctx context.Context, p process) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	if o.file != "-" {
		if err := checkFile(o.file); err != nil {
			return err
		}
	}
	if err := checkHTML(p, o.html); err != nil {
		return err
	}
	if o.html != "" && o.file != "-" && privatefile.Same(o.html, o.file) {
		return usagef("--output and --%s name the same file: choose another for one of them", flagHTML)
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		plan, err := o.planned(ctx, p, store, policy, prune.ReadOptions{AllSizes: o.html != ""})
		if err != nil {
			return err
		}
		doc := prune.PlanDocument(plan)
		page := acting{html: o.html}
		return firstError(o.write(p, doc), page.picture(p, plan, doc), refused(p, doc))
	})
}

// write writes the document to stdout, or to the file and a sentence about it
// to stderr.
func (o *planOptions) write(p process, doc prune.Document) error {
	if o.file == "-" {
		out := p.printer(p.stdout)
		return firstError(format.Write(out, doc, "  "), out.Flush())
	}
	b, err := format.Encode(doc, "  ")
	if err != nil {
		return err
	}
	if err := privatefile.Write(o.file, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	return p.say("%s: removes %d of %s and reclaims %s. Do it with: ctr-prune apply%s %s",
		o.file, doc.Counts.Remove+doc.Counts.StandIn, terminal.Count(doc.Counts.Images, "image record"), text.Sizes(doc.Predicted), o.store.again(), shellWord(o.file))
}

// easy is what can be typed in a shell as it is. Names of a store may hold
// anything, and a completion is put on a command line.
var easy = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,254}$`)

// beginning is what easy names begin with.
var beginning = regexp.MustCompile(`^[A-Za-z0-9._/:@+-]{0,255}$`)

func typeable(names []string) []string {
	var all []string
	for _, n := range names {
		if easy.MatchString(n) {
			all = append(all, n)
		}
	}
	return all
}

// shellWord is a text as it is typed in a shell.
func shellWord(s string) string {
	if s != "" && beginning.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
