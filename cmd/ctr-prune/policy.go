package main

import (
	"context"
	"fmt"
	"slices"
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

const (
	flagPolicy     = "policy"
	flagKeepLast   = "keep-last"
	flagKeepWithin = "keep-within"
	flagUsedWithin = "used-within"
	flagProtect    = "protect"
)

// ruleOfFlags is the name of the rule that flags make.
const ruleOfFlags = "command line"

// retentionOptions are a policy file, or flags that are one of a single rule.
type retentionOptions struct {
	flags    *pflag.FlagSet
	file     string
	last     int
	within   string
	used     string
	patterns []string
}

// add adds the flags.
func (o *retentionOptions) add(fs *pflag.FlagSet) {
	o.addFile(fs)
	fs.IntVar(&o.last, flagKeepLast, 0, "keep the newest `N` images of each repository")
	fs.StringVar(&o.within, flagKeepWithin, "", "keep images that are younger than this `AGE`")
	fs.StringVar(&o.used, flagUsedWithin, "", "keep images that were used within this `AGE`; as long as nobody watches use, that is all")
	fs.StringArrayVar(&o.patterns, flagProtect, nil, "keep images whose name matches this `PATTERN`, in which * is any text between two slashes and ** any text (repeatable)")
}

// addFile adds only the flag for a file.
func (o *retentionOptions) addFile(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.file, flagPolicy, "", "of all unused images, remove only those that the policy in this `FILE` lets go; other flags narrow that down")
}

func (o *retentionOptions) given(flag string) bool {
	return o.flags != nil && o.flags.Lookup(flag) != nil && o.flags.Changed(flag)
}

// check returns an error for flags that cannot be used together. Narrow says that
// only dangling images may go.
func (o *retentionOptions) check(narrow bool) error {
	for _, flag := range []string{flagKeepLast, flagKeepWithin, flagUsedWithin} {
		if o.file != "" && o.given(flag) {
			return usagef("--%s and --%s contradict each other: write what to keep into a rule of the file", flag, flagPolicy)
		}
	}
	switch {
	case o.given(flagKeepLast) && o.last < 1:
		return usagef("--%s=%d is not above zero: give how many images to keep of each repository", flagKeepLast, o.last)
	case o.given(flagKeepLast) && narrow:
		return usagef("--%s is about images that have a name, and without --all only dangling ones are removed: add --all", flagKeepLast)
	}
	return nil
}

// everything says that the file chooses among all images: then --all adds
// nothing.
func (o *retentionOptions) everything(filters []string) bool {
	return o.file != "" && !slices.ContainsFunc(filters, func(f string) bool { return strings.HasPrefix(f, "dangling=") })
}

// retention is the policy of the file or the flags, nil if there is none.
func (in *invocation) retention(ctx context.Context) (*prune.Retention, error) {
	o := &in.options.policy.retention
	rule := o.given(flagKeepLast) || o.given(flagKeepWithin) || o.given(flagUsedWithin)
	if o.file == "" && !rule && len(o.patterns) == 0 {
		return nil, nil
	}
	var err error
	r := &prune.Retention{}
	if o.file != "" {
		if r, err = readRetention(ctx, in.process, o.file, in.options.clients.insecureFile); err != nil {
			return nil, err
		}
	} else if r, err = r.WithRule(ruleOfFlags, o.last, o.within, o.used); err != nil {
		return nil, usagef("--%s or --%s: %s", flagKeepWithin, flagUsedWithin, err)
	}
	if r, err = r.Protecting(o.patterns...); err != nil {
		return nil, usagef("--%s: %s", flagProtect, err)
	}
	return r, nil
}

// readRetention reads a policy file. All that is wrong with it is an error of the
// command line, each problem one of its own.
func readRetention(ctx context.Context, p process, file string, insecure bool) (*prune.Retention, error) {
	r, err := prune.ReadRetention(ctx, file, insecure, caller(p))
	if err == nil || ctx.Err() != nil {
		return r, stopped(ctx, err)
	}
	return nil, unusable(err)
}

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

func newPolicyCheck(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Name every problem of a policy file",
		Long: `Name every problem of a policy file, and of the files of patterns that it names,
with file, line and column: keys that do not exist, values that cannot be
understood, rules that can never match. The exit code is 2 if there are any.
Whether others could have written the file is not looked at here.`,
		Example: "  ctr-prune policy check policy.yaml",
		Args:    oneOf("give one policy file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readRetention(cmd.Context(), p, args[0], true)
			if err != nil {
				return err
			}
			out := p.printer(p.stdout)
			out.Line("%s: %s, no problem", args[0], terminal.Count(len(r.Rules), "rule"))
			if len(r.Resident) > 0 {
				out.Sentence("%s: only for ctr-prune serve: %s", args[0], strings.Join(r.Resident, ", "))
			}
			return out.Flush()
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
