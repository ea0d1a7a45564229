package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const policyLong = `Check a policy file, or try it on names of images. No store is needed, and nothing
is changed. A prune uses the file with --policy.`

const policyExamples = `  # Everything that is wrong with a file, each with its place
  ctr-prune policy check policy.yaml

  # Which rule would decide about the images of this node?
  ctr -n k8s.io images list -q | ctr-prune policy test -n k8s.io policy.yaml

  # What would go now, and why the rest stays
  ctr-prune --policy policy.yaml --dry-run`

func newPolicy(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy check|test FILE",
		Short:   "Check a policy file, or try it on names",
		Long:    policyLong,
		Example: policyExamples,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			return usagef("type ctr-prune policy check FILE or ctr-prune policy test FILE; a prune uses the file with --%s", flagPolicy)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newPolicyCheck(p), newPolicyTest(p))
	return cmd
}

// onePolicy refuses anything but one file.
func onePolicy(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef("give one policy file")
	}
	return nil
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
		Args:    onePolicy,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readRetention(cmd.Context(), p, args[0], true)
			if err != nil {
				return err
			}
			out := p.printer(p.stdout)
			out.Line("%s: %s, no problem", args[0], terminal.Count(len(r.Rules), "rule"))
			if len(r.Resident) > 0 {
				out.Line("%s: not used by this version: %s", args[0], strings.Join(r.Resident, ", "))
			}
			return out.Flush()
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
		Args:    onePolicy,
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
	completeFlag(cmd, "format", fixed(format.Table, format.JSON, format.Lines))
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
	err = eachLine(terminal.Interruptible(ctx, p.stdin), func(name string) {
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
			t := terminal.Table{Columns: []terminal.Column{{Title: "NAME", Least: terminal.LeastText, Middle: true}, {Title: "OUTCOME"}, {Title: "REASON", Least: 30}}}
			for _, row := range rows {
				t.Add(row.Name, row.Outcome, row.Reason)
			}
			t.Print(out)
		},
	}
}

// eachLine calls a function with each line that is not empty.
func eachLine(in io.Reader, do func(string)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			do(line)
		}
	}
	return lines.Err()
}
