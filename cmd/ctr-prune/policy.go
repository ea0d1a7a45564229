package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/workloads"
	"github.com/ctr-prune/ctr-prune/prune"
)

const policyLong = `Check a policy file, try it on names of images, or write which images the workloads
of a cluster need. No store is needed, and nothing is changed. A prune uses the file
with --policy.`

const policyExamples = `  # Everything that is wrong with a file, each with its place
  ctr-prune policy check policy.yaml

  # Which rule would decide about the images of this node?
  ctr -n k8s.io images list -q | ctr-prune policy test -n k8s.io policy.yaml

  # What would go now, and why the rest stays
  ctr-prune --policy policy.yaml --dry-run`

func newPolicy(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy check|test|from-workloads FILE",
		Short:   "Check a policy file, try it on names, or protect what workloads need",
		Long:    policyLong,
		Example: policyExamples,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			return usagef("type ctr-prune policy check FILE or ctr-prune policy test FILE; a prune uses the file with --%s", flagPolicy)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newPolicyCheck(p), newPolicyTest(p), newFromWorkloads(p))
	return cmd
}

// oneOf refuses anything but one argument.
func oneOf(advice string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef("%s", advice)
		}
		return nil
	}
}

// policyProblem is a problem of a policy file in templates and in JSON.
type policyProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Problem string `json:"problem"`
}

type policyCheckDocument struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Rules counts the rules of a file without problems, and Resident are its keys that only serve uses.
	Rules    int             `json:"rules"`
	Resident []string        `json:"resident"`
	Problems []policyProblem `json:"problems"`
}

func newPolicyCheck(p process) *cobra.Command {
	o := &outputOptions{}
	shape := rowShape("a problem", policyProblem{})
	cmd := &cobra.Command{
		Use:   "check [flags] FILE",
		Short: "Name every problem of a policy file",
		Long: `Name every problem of a policy file, and of the files of patterns that it names,
with file, line and column: keys that do not exist, values that cannot be
understood, rules that can never match. The exit code is 2 if there are any.
Whether others could have written the file is not looked at here.`,
		Example: "  ctr-prune policy check policy.yaml",
		Args:    oneOf("give one policy file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out, err := newOutput(p, *o, shape)
			if err != nil {
				return err
			}
			r, wrong := readRetention(cmd.Context(), p, args[0], true)
			problems := problemsOf(wrong)
			if wrong != nil && len(problems) == 0 {
				return wrong
			}
			return firstError(out.Show(policyCheckResult(args[0], r, problems)), wrong)
		},
	}
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.addFormat(fs, " for each problem, see the fields below") })
	templateHelp(cmd, shape)
	completeFlag(cmd, "format", fixed(format.Named()...))
	return cmd
}

// problemsOf are the problems of a file that an error consists of.
func problemsOf(err error) []policyProblem {
	all := []policyProblem{}
	if err == nil {
		return all
	}
	for _, c := range complaints(err) {
		if c.File != "" {
			place := fmt.Sprintf("%s:%d:%d: ", c.File, c.Line, c.Column) // has fields of its own
			all = append(all, policyProblem{c.File, c.Line, c.Column, strings.TrimPrefix(c.Text, place)})
		}
	}
	return all
}

// policyCheckResult does not repeat for people what the error says.
func policyCheckResult(file string, r *prune.Retention, problems []policyProblem) format.Result[policyProblem] {
	doc := policyCheckDocument{SchemaVersion: policyCheckSchema, Kind: "policy-check", Resident: []string{}, Problems: problems}
	said := ""
	if r != nil {
		doc.Rules, doc.Resident = len(r.Rules), append(doc.Resident, r.Resident...)
		said = fmt.Sprintf("%s: %s, no problem", file, terminal.Count(len(r.Rules), "rule"))
	}
	return format.Result[policyProblem]{
		Doc:   doc,
		Lines: func() []any { return each(problems, func(p policyProblem) any { return p }) },
		Rows:  func() []policyProblem { return problems },
		Text: func(out *terminal.Printer) {
			if said != "" {
				out.Sentence("%s", said)
			}
			if len(doc.Resident) > 0 {
				out.Sentence("%s: only for ctr-prune serve: %s", file, strings.Join(doc.Resident, ", "))
			}
		},
		Remarks: func() []github.Remark {
			if said == "" {
				return nil // the errors say more
			}
			return []github.Remark{{Level: github.Notice, Text: said}}
		},
	}
}

// newFromWorkloads is about the whole cluster: what a node has to keep although none
// of its own pods needs it yet.
func newFromWorkloads(p process) *cobra.Command {
	return &cobra.Command{
		Use: "from-workloads FILE|-", Short: "Write a file for protect.files with the images that a cluster's workloads need",
		Long: `Read what kubectl prints of the workloads of a cluster, from a file or stdin, and
write the images that their pods need, one a line, as protect.files of a policy has
them. Jobs that have ended need nothing any more.`,
		Example: "  kubectl get deploy,ds,sts,cronjob,job -A -o json |\n    ctr-prune policy from-workloads - > workloads.txt",
		Args:    oneOf("give one file with what kubectl get deploy,ds,sts,cronjob,job -A -o json prints, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return stopped(cmd.Context(), workloads.Convert(args[0], terminal.Interruptible(cmd.Context(), p.stdin), p.stdout))
		},
	}
}

// testOptions are the flags of policy test.
type testOptions struct {
	namespace string
	prefixes  []string
	output    outputOptions
}

// trialRow is a name in templates and in JSON.
type trialRow struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Rule is the one that matches, empty if none does.
	Rule string `json:"rule"`
	// Outcome is keep, remove or depends.
	Outcome string `json:"outcome"`
	prune.Cause
}

type policyTestDocument struct {
	SchemaVersion int        `json:"schemaVersion"`
	Kind          string     `json:"kind"`
	Names         []trialRow `json:"names"`
}

func newPolicyTest(p process) *cobra.Command {
	o := &testOptions{}
	shape := rowShape("a name", trialRow{})
	cmd := &cobra.Command{
		Use:   "test [flags] FILE",
		Short: "Say which rule of a policy file decides about names",
		Long: `Read names of images from stdin, one a line, and say for each which rule of a
policy file matches and what it would do. Only the names are known here: what
depends on other images, on ages, on labels or on use is said, and not decided.`,
		Example: "  ctr -n k8s.io images list -q | ctr-prune policy test -n k8s.io policy.yaml",
		Args:    oneOf("give one policy file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out, err := newOutput(p, o.output, shape)
			if err != nil {
				return err
			}
			return o.test(cmd.Context(), p, args[0], out)
		},
	}
	addGroup(cmd, "What the names are", func(fs *pflag.FlagSet) {
		fs.StringVarP(&o.namespace, "namespace", "n", text.DefaultNamespace, "the names are of this `NAMESPACE`")
		fs.StringArrayVar(&o.prefixes, "dangling-prefix", nil, "treat names of the form `PREFIX`@DIGEST as dangling (repeatable)")
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		o.output.add(fs, "each name, see the fields below", "the names that would be removed")
	})
	templateHelp(cmd, shape)
	completeFlag(cmd, "format", fixed(format.Named()...))
	completeFlag(cmd, "dangling-prefix", fixed())
	completeFlag(cmd, "namespace", fixed(text.DefaultNamespace, "k8s.io"))
	return cmd
}

// test judges the names.
func (o *testOptions) test(ctx context.Context, p process, file string, out *format.Output[trialRow]) error {
	r, err := readRetention(ctx, p, file, true)
	if err != nil {
		return err
	}
	policy := prune.Policy{Retention: r, DanglingPrefixes: o.prefixes}
	rows := []trialRow{}
	err = terminal.EachLine(terminal.Interruptible(ctx, p.stdin), func(name string) {
		t := policy.TryName(o.namespace, name)
		rows = append(rows, trialRow{t.Namespace, t.Name, t.Rule, t.Outcome, t.Cause})
	})
	if err != nil {
		return stopped(ctx, fmt.Errorf("reading names from stdin: %w", err))
	}
	return out.Show(trialResult(rows))
}

func trialResult(rows []trialRow) format.Result[trialRow] {
	var going []string
	for _, row := range rows {
		if row.Outcome == string(prune.Remove) {
			going = append(going, row.Name)
		}
	}
	return format.Result[trialRow]{
		Doc:   policyTestDocument{policyTestSchema, "policy-test", rows},
		Lines: func() []any { return each(rows, func(row trialRow) any { return row }) },
		Rows:  func() []trialRow { return rows },
		Names: func() []string { return going },
		Text: func(out *terminal.Printer) {
			t := terminal.Table{Columns: []terminal.Column{{Title: "NAME", Least: terminal.LeastText, Middle: true}, {Title: "OUTCOME"}, {Title: "REASON", Least: 30, Whole: true}}}
			for _, row := range rows {
				t.Add(row.Name, row.Outcome, row.Reason)
			}
			t.Print(out)
		},
		Remarks: func() []github.Remark { return trialRemarks(rows) },
	}
}

func trialRemarks(rows []trialRow) []github.Remark {
	counts := make(map[string]int)
	for _, row := range rows {
		counts[row.Outcome]++
	}
	said := fmt.Sprintf("Of %s the policy keeps %d and removes %d; of %d it depends on more than the name.", terminal.Count(len(rows), "name"), counts["keep"], counts["remove"], counts["depends"])
	return []github.Remark{{Level: github.Notice, Text: said}}
}
