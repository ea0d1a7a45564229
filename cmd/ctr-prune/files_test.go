package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A page replaces a file, and nothing else.
func TestPageFiles(t *testing.T) {
	dir, f := t.TempDir(), newFake("")
	page := htmlreport.Page{Usage: &prune.DiskUsage{}, Generated: texttest.Now()}
	path := filepath.Join(dir, "page.html")
	for range 2 { // the second time it replaces
		if err := f.writePage(path, page); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	link, victim := filepath.Join(dir, "link.html"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{link, dir, filepath.Join(dir, "missing", "page.html")} {
		if err := f.writePage(bad, page); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
	if err := f.writePage(path, htmlreport.Page{}); err == nil {
		t.Error("an empty page was written")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Errorf("the link's target holds %q, %v", b, err)
	}
}

// A plan file that nobody writes to, as a pipe may be, is waited for until the
// command is interrupted or its time is up.
func TestPlanThatNeverComes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"apply", "-f", "--root", t.TempDir(), pipe},
		{"apply", "-f", "--root", t.TempDir(), "-"},
		{"apply", "-f", "--root", t.TempDir(), pipe, "--timeout", "10ms"},
		{"apply", "-f", "--root", t.TempDir(), "-", "--timeout", "10ms"},
	} {
		f := newFake("")
		f.stdin = newStuck(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		if len(args) == 5 {
			cancel(errSignal)
		}
		if code := Main(ctx, args, f.process); code != exitInterrupted {
			t.Errorf("%v: exit code %d, %s", args, code, f.err)
		}
		cancel(nil)
	}
}
