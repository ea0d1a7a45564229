package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const explainLong = `Say what something in the store is, who holds it and through which chain, what
removing it would free, and what a prune with the given flags would do and why.

Give the name of an image as you would type it elsewhere, a container, a
digest, a snapshot, a lease, or a unique prefix.
Nothing is changed.`

const explainExamples = `  # Why is this image still here?
  ctr-prune explain --all nginx:1.27

  # What is this digest, and who holds it?
  ctr-prune explain sha256:9c1b5f5d

  # What does this container keep?
  ctr-prune explain -n k8s.io 0a4cbe4f2a3d

  # For programs
  ctr-prune explain --all --format json nginx:1.27`

// explainOptions are the flags of explain.
type explainOptions struct {
	session
	output listOptions
}

func newExplain(p process, debug *bool) *cobra.Command {
	o := &explainOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "explain [flags] NAME|DIGEST|CONTAINER|SNAPSHOT",
		Short:   "Say what something is, who holds it, and what a prune would do with it",
		Long:    explainLong,
		Example: explainExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("give one thing to explain: an image, a container, a digest, a snapshot or a lease")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args[0]) },
	}
	addGroup(cmd, "What a prune would take", o.policy.addLooking)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "the explanation", "") })
	templateHelp(cmd, "the explanation", explanationRow{})
	completeSession(cmd, p, &o.session)
	cmd.ValidArgsFunction = completer{process: p, session: &o.session}.objects
	return cmd
}

// explanationRow is what a template sees.
type explanationRow struct {
	Kind, Namespace, Name, Target string
	Bytes                         format.Bytes
	CreatedAt                     time.Time
	UsedBy                        []string
	Chains                        [][]prune.Object
	Holds, Frees                  prune.Amount
	Decisions                     []prune.ImageDocument
	Parts                         []prune.Part
}

func explanationOf(e *prune.Explanation) explanationRow {
	return explanationRow{
		Kind: e.Object.Kind, Namespace: e.Object.Namespace, Name: e.Object.Name, Target: string(e.Target),
		Bytes: format.Bytes(e.Bytes), CreatedAt: e.CreatedAt, UsedBy: e.UsedBy, Chains: e.Chains,
		Holds: e.Holds, Frees: e.Frees, Decisions: e.Decisions, Parts: e.Parts,
	}
}

// explanationDocument is what --format json shows.
type explanationDocument struct {
	header
	prune.Explanation
}

func (o *explainOptions) run(ctx context.Context, p process, typed string) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "the explanation", explanationOf(&prune.Explanation{
		Chains: [][]prune.Object{{{}}}, Decisions: []prune.ImageDocument{{}}, Parts: []prune.Part{{}}, UsedBy: []string{""},
	}))
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		var e *prune.Explanation
		now, err := o.reading(ctx, p, store, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
			e, err = prune.Explain(ctx, store.Store, typed, policy, now, opts)
			return err
		})
		if err != nil {
			return o.unclear(p, err)
		}
		text.AdviseDecisions(e.Decisions)
		doc := explanationDocument{header{explainSchema, "explain", now}, *e}
		return list.Show(format.Result[explanationRow]{
			Doc: doc, Lines: func() []any { return []any{doc} }, Rows: func() []explanationRow { return []explanationRow{explanationOf(e)} },
			Text: func(out *terminal.Printer) { text.Explanation(out, e) },
		})
	})
}

// unclear lists what an ambiguous text may mean.
func (o *explainOptions) unclear(p process, err error) error {
	var many *prune.AmbiguousError
	if !errors.As(err, &many) {
		return err
	}
	out := p.printer(p.stderr)
	advice, first := "choose a namespace with -n:", many.Candidates[0]
	for _, c := range many.Candidates {
		if c.Kind != first.Kind || c.Name != first.Name {
			advice = "be more specific:"
		}
	}
	out.Line("ctr-prune: %s; %s", many, advice)
	for _, c := range many.Candidates {
		out.Line("  %s %s (namespace %s)", c.Kind, out.Name(c.Name), c.Namespace)
	}
	if rest := many.Total - len(many.Candidates); rest > 0 {
		out.Line("  and %d more", rest)
	}
	return firstError(out.Flush(), &saidError{exitUsage})
}
