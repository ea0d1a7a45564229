package main

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/manual"
)

// The help of every command fits a terminal of 80 columns, short and whole.
func TestHelpFits(t *testing.T) {
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		for _, whole := range []bool{false, true} {
			for line := range strings.SplitSeq(pageOf(cmd).Screen(whole), "\n") {
				if runewidth.StringWidth(line) > manual.Width {
					t.Errorf("%s: longer than %d: %q", cmd.CommandPath(), manual.Width, line)
				}
			}
		}
		for _, sub := range cmd.Commands() {
			check(sub)
		}
	}
	check(newRoot(newFake("").process))
}

func TestHelp(t *testing.T) {
	f := newFake("")
	if code := f.main("--help"); code != 0 || f.err.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	short := f.out.String()
	for _, part := range []string{"Usage:", "Examples:", "What to remove:", "How:", "Output:", "Commands:"} {
		if !strings.Contains(short, "\n"+part+"\n") {
			t.Errorf("there is no part %q", part)
		}
	}
	if n := strings.Count(short, "\n"); n > 80 || strings.Contains(short, "--pods-client-key") || !strings.HasSuffix(short, "ctr-prune help --all\n") {
		t.Errorf("the short help has %d lines:\n%s", n, short)
	}
	again := newFake("")
	if code := again.main("help"); code != 0 || again.out.String() != short {
		t.Errorf("help, as a command, exits %d and says\n%s", code, again.out)
	}
	whole := newFake("")
	if code := whole.main("help", "--all"); code != 0 || !strings.Contains(whole.out.String(), "\nFilters:\n") || !strings.Contains(whole.out.String(), "\nExit status:\n") {
		t.Errorf("help --all exits %d and says\n%s", code, whole.out)
	}
}

// Whoever reads the whole help of a command has to find every flag that it takes, and
// the short one does not hide that there are more.
func TestEveryCommandHelpsWithAllItsFlags(t *testing.T) {
	f := newFake("")
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		whole, short := pageOf(cmd).Screen(true), pageOf(cmd).Screen(false)
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden && !strings.Contains(whole, "--"+flag.Name) {
				t.Errorf("%s: --%s is not in its help", cmd.CommandPath(), flag.Name)
			}
			if !flag.Hidden && !strings.Contains(short, "--"+flag.Name) && !strings.Contains(short, " help --all") {
				t.Errorf("%s: nothing tells that there is --%s", cmd.CommandPath(), flag.Name)
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

// A flag that is called rare is one.
func TestRareFlagsExist(t *testing.T) {
	root := newRoot(newFake("").process)
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	for _, name := range rareFlags {
		if root.Flags().Lookup(name) == nil && root.PersistentFlags().Lookup(name) == nil {
			t.Errorf("there is no --%s", name)
		}
	}
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
