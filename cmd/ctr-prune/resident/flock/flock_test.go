package flock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Take(path, "the first")
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := Take(path, "the second"); !errors.As(err, &held) || held.By != "the first" {
		t.Fatalf("the second got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Take(path, "it")
	if err != nil || second.ID != first.ID {
		t.Fatalf("then %v, %+v", err, second)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "it\n" {
		t.Errorf("in the file is %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// A lock on another file, or none, proves nothing about the first.
func TestTakeWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir, filepath.Join(dir, "none", "lock")} {
		if l, err := Take(path, ""); err == nil {
			t.Errorf("%s: took %v", path, l)
		}
	}
	lock, err := Take(filepath.Join(dir, "lock"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := os.Rename(filepath.Join(dir, "lock"), filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	other, err := Take(filepath.Join(dir, "lock"), "")
	if err != nil || other.ID == lock.ID {
		t.Errorf("in place of a file that was moved: %v, %+v", err, other)
	}
	_ = other.Close()
}
