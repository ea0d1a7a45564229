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

// A page that root wrote for who called it with sudo belongs to that user, whose
// browser shows it, and to nobody else.
func TestPageBelongsToWhoCalledSudo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	page := htmlreport.Page{Usage: &prune.DiskUsage{}, Generated: texttest.Now()}
	for name, c := range map[string]struct {
		env  map[string]string
		want [2]uint32
	}{
		"sudo":           {map[string]string{"SUDO_UID": "1234", "SUDO_GID": "567"}, [2]uint32{1234, 567}},
		"root":           {nil, [2]uint32{}},
		"sudo of root":   {map[string]string{"SUDO_UID": "0", "SUDO_GID": "0"}, [2]uint32{}},
		"no user at all": {map[string]string{"SUDO_UID": "x", "SUDO_GID": "-1"}, [2]uint32{}},
	} {
		t.Run(name, func(t *testing.T) {
			f, path := newFake(""), filepath.Join(t.TempDir(), "page.html")
			f.getenv = func(key string) string { return c.env[key] }
			if err := f.writePage(path, page); err != nil {
				t.Fatal(err)
			}
			var info syscall.Stat_t
			if err := syscall.Stat(path, &info); err != nil || info.Mode&0o777 != 0o600 || [2]uint32{info.Uid, info.Gid} != c.want {
				t.Errorf("user %d, group %d, mode %o, %v", info.Uid, info.Gid, info.Mode, err)
			}
		})
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
