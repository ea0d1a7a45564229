package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const explainLong = `Explain what something in the store is, what holds it and through which chain,
which leases and labels are among that and how to end them, what removing it
would free, and what a prune with the given flags would do and why. A label that
looks as if it kept an image, and does not, is noted. Nothing is changed.

Give the name of an image as you would type it elsewhere, a container, a digest,
a snapshot, a lease, or a unique prefix.`

const explainExamples = `  # Why is this image still here?
  ctr-prune explain --all nginx:1.27

  # What is this digest, and who holds it?
  ctr-prune explain sha256:9c1b5f5d

  # What does this container keep?
  ctr-prune explain -n k8s.io 0a4cbe4f2a3d

  # For programs
  ctr-prune explain --all --format json nginx:1.27`

func newExplain(p process) *cobra.Command {
	o := &commonOptions{}
	shape := rowShape("the explanation", explanationOf(&prune.Explanation{
		Chains: [][]prune.Object{{{}}}, Decisions: []prune.ImageDocument{{}}, Parts: []prune.Part{{}}, UsedBy: []string{""},
		Labels: []string{""}, KeptBy: []prune.Keeper{{}}, Notes: []prune.Cause{{}},
	}))
	cmd := &cobra.Command{
		Use:     "explain [flags] NAME|DIGEST|CONTAINER|SNAPSHOT",
		Short:   "Explain what something is, what holds it, and what a prune would do",
		Long:    explainLong,
		Example: explainExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("give one thing to explain: an image, a container, a digest, a snapshot or a lease")
			}
			return nil
		},
		RunE: work[explanationRow]{o, shape, nil, nil, explain}.run(p),
	}
	addGroup(cmd, "What a prune would remove", o.policy.addLooking)
	addGroup(cmd, "Where", o.store.adder(stopsLooking))
	addGroup(cmd, "Where", o.state.add)
	addGroup(cmd, "What else is in use", o.clients.adder("the file of --pods or --policy"))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "the explanation, see the fields below", "") })
	templateHelp(cmd, shape)
	completeFlags(cmd, p, o)
	cmd.ValidArgsFunction = completer{process: p, options: o}.objects
	return cmd
}

// explanationRow is an explanation in templates.
type explanationRow struct {
	Kind, Namespace, Name, Target string
	Bytes                         format.Bytes
	CreatedAt, LastUsedAt         time.Time
	LastUsedBy                    string
	Labels, UsedBy                []string
	KeptBy                        []prune.Keeper
	Notes                         []prune.Cause
	Chains                        [][]prune.Object
	Holds, Frees                  prune.Amount
	Decisions                     []prune.ImageDocument
	Parts                         []prune.Part
}

func explanationOf(e *prune.Explanation) explanationRow {
	return explanationRow{
		Kind: e.Object.Kind, Namespace: e.Object.Namespace, Name: e.Object.Name, Target: string(e.Target),
		Bytes: format.Bytes(e.Bytes), CreatedAt: e.CreatedAt, LastUsedAt: e.LastUsedAt, LastUsedBy: e.LastUsedBy, Labels: e.Labels, UsedBy: e.UsedBy, Chains: e.Chains, KeptBy: e.KeptBy, Notes: e.Notes,
		Holds: e.Holds, Frees: e.Frees, Decisions: e.Decisions, Parts: e.Parts,
	}
}

// explanationDocument is the output of --format json.
type explanationDocument struct {
	header
	prune.Explanation
}

func explain(ctx context.Context, in *invocation, out *format.Output[explanationRow]) error {
	var e *prune.Explanation
	err := in.read(ctx, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
		e, err = prune.Explain(ctx, in.store, in.args[0], in.policy, now, opts)
		return err
	})
	if err != nil {
		return in.unclear(err)
	}
	e = text.AdviseExplanation(e)
	doc := explanationDocument{in.header(explainSchema, "explain"), *e}
	return out.Show(format.Result[explanationRow]{
		Doc: doc, Lines: func() []any { return []any{doc} }, Rows: func() []explanationRow { return []explanationRow{explanationOf(e)} },
		Text: func(out *terminal.Printer) { text.Explanation(out, e, in.readAt) },

		Remarks: func() []github.Remark { return text.ExplanationRemarks(e) },
	})
}

// unclear lists the candidates of an ambiguous text.
func (p process) unclear(err error) error {
	var many *prune.AmbiguousError
	if !errors.As(err, &many) {
		return err
	}
	advice, first := "choose a namespace with -n:", many.Candidates[0]
	for _, c := range many.Candidates {
		if c.Kind != first.Kind || c.Name != first.Name {
			advice = "be more specific:"
		}
	}
	if err := p.fault("%s; %s", many, advice); err != nil {
		return err
	}
	out := p.printer(p.stderr)
	for _, c := range many.Candidates {
		out.Line("  %s %s (namespace %s)", c.Kind, out.Name(c.Name), c.Namespace)
	}
	if rest := many.Total - len(many.Candidates); rest > 0 {
		out.Line("  and %d more", rest)
	}
	return firstError(out.Flush(), &saidError{exitUsage})
}
