package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

func TestManualPagesAreCurrent(t *testing.T) {
	f := newFake("")
	dir := t.TempDir()
	if code := f.main("man", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	if diff := cmp.Diff(pages(t, filepath.Join("..", "..", "docs", "man")), pages(t, dir)); diff != "" {
		t.Errorf("docs/man is not current; run: go run ./cmd/ctr-prune man docs/man\n(-committed +generated):\n%s", diff)
	}
}

func TestManualNeedsADirectory(t *testing.T) {
	for _, args := range [][]string{{"man"}, {"man", "a", "b"}, {"man", filepath.Join(t.TempDir(), "absent")}} {
		if code := newFake("").main(args...); code != exitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}
