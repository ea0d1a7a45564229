package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestHelp(t *testing.T) {
	f := newFake("")
	if code := f.main("--help"); code != 0 || f.err.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	for _, part := range []string{"Usage:", "Examples:", "What to remove:", "Where:", "Output:", "Commands:", "Filters:", "Exit codes:"} {
		if !strings.Contains(f.out.String(), "\n"+part+"\n") {
			t.Errorf("there is no part %q", part)
		}
	}
	for line := range strings.SplitSeq(f.out.String(), "\n") {
		if len(line) > helpWidth {
			t.Errorf("longer than %d: %q", helpWidth, line)
		}
	}
	again := newFake("")
	if code := again.main("help"); code != 0 || again.out.String() != f.out.String() {
		t.Errorf("help, as a command, exits %d and says\n%s", code, again.out)
	}
}

// Whoever reads the help of a command has to find every flag that it takes.
func TestEveryCommandHelpsWithAllItsFlags(t *testing.T) {
	f := newFake("")
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		var b strings.Builder
		writeUsage(&b, cmd)
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden && !strings.Contains(b.String(), "--"+flag.Name) {
				t.Errorf("%s: --%s is not in its help", cmd.CommandPath(), flag.Name)
			}
			if flag.Usage == "" {
				t.Errorf("%s: --%s has no explanation", cmd.CommandPath(), flag.Name)
			}
		})
		if cmd.Short == "" {
			t.Errorf("%s has no short description", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			check(sub)
		}
	}
	check(newRoot(f.process))
}

func TestHelpWithACommand(t *testing.T) {
	f := newFake("")
	if code := f.main("help", "completion"); code != 0 || !strings.Contains(f.out.String(), "completion bash|zsh|fish") {
		t.Errorf("exit code %d: %s", code, f.out)
	}
	if code := f.main("help", "nonsense"); code != exitUsage || !strings.Contains(f.err.String(), `there is no command "nonsense"`) {
		t.Errorf("exit code %d: %s", code, f.err)
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version", "-v"} {
		f := newFake("")
		if code := f.main(arg); code != 0 || !strings.HasPrefix(f.out.String(), "ctr-prune ") {
			t.Errorf("%s: exit code %d: %s", arg, code, f.out)
		}
	}
}
