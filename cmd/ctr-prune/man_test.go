package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
)

// manDate stands in the manual pages, which are the same whenever they are
// made. It changes when their text does.
const manDate = "2026-11-01"

// manual is where the pages are. A test writes them because what makes them
// would be a fiftieth of the program, which has no other use for it.
var manualDir = filepath.Join("..", "..", "docs", "man")

func TestManualPagesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if *texttest.Update {
		dir = manualDir
	}
	if err := writeManual(newFake("").process, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pages(t, manualDir), pages(t, dir)); diff != "" {
		t.Errorf("docs/man is not current; run: make man\n(-committed +generated):\n%s", diff)
	}
}

// pages reads a directory of manual pages.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// writeManual writes a page for every command, into a directory that exists.
func writeManual(p process, dir string) error {
	date, err := time.Parse(time.DateOnly, manDate)
	if err != nil {
		return fmt.Errorf("the date of the manual: %w", err)
	}
	var write func(cmd *cobra.Command) error
	write = func(cmd *cobra.Command) error {
		for _, sub := range cmd.Commands() {
			if err := write(sub); err != nil {
				return err
			}
		}
		if !cmd.IsAvailableCommand() && cmd.HasParent() {
			return nil
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		return os.WriteFile(filepath.Join(dir, name), []byte(pageOf(cmd).Roff(date)), 0o644)
	}
	return write(newRoot(p))
}

// man-db finds the name and the description of each page, and groff has nothing to say
// against them, nor has mandoc, where that is installed.
func TestManualPagesAreValid(t *testing.T) {
	for _, program := range []string{"lexgrog", "groff"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: install man-db and groff (apt-get install man-db groff)", err)
		}
	}
	for name, page := range pages(t, manualDir) {
		file := filepath.Join(manualDir, name)
		out, err := exec.Command("lexgrog", file).CombinedOutput()
		if want := strings.TrimSuffix(name, ".1") + " - "; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("lexgrog %s: %v, %s", name, err, out)
		}
		cmd := exec.Command("groff", "-man", "-Tascii", "-ww", "-z", file)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff %s: %v, %s", name, err, out)
		}
		if mandoc, err := exec.LookPath("mandoc"); err == nil {
			if out, err := exec.Command(mandoc, "-T", "lint", "-W", "warning", file).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("mandoc %s: %v, %s", name, err, out)
			}
		}
		for _, bad := range []string{"[=false]", `=""`, "=[]"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s contains %s", name, bad)
			}
		}
		for _, part := range []string{".SH OPTIONS", `.SH EXIT STATUS`, ".SH ENVIRONMENT", ".SH EXAMPLES"} {
			if name == "ctr-prune.1" && !strings.Contains(page, part) {
				t.Errorf("%s has no %s", name, part)
			}
		}
	}
}
