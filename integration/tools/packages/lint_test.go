//go:build deploy

package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// lintian finds nothing wrong with the deb, but what deploy/packages/lintian-overrides
// gives a reason for.
func TestLintian(t *testing.T) {
	s, paths := stocked(t, parts.Lintian)
	cmd := exec.CommandContext(t.Context(), paths.Bin(parts.Lintian, "lintian"), "--allow-root", "--fail-on", "error,warning,info", "--display-info",
		filepath.Join(s.out, "ctr-prune_1.0.0_amd64.deb"))
	cmd.Env = append(cmd.Environ(), "TMPDIR="+t.TempDir()) // it leaves what it makes there
	said, err := cmd.CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("%v\n%s", err, said)
	}
}

// rpmlint finds nothing wrong with the rpm, but what deploy/packages/rpmlint.toml gives a
// reason for.
func TestRpmlint(t *testing.T) {
	s, paths := stocked(t, parts.Rpmlint)
	said, err := exec.CommandContext(t.Context(), paths.Bin(parts.Rpmlint, "rpmlint"), "--strict", "--config", "../../../deploy/packages/rpmlint.toml",
		filepath.Join(s.out, "ctr-prune-1.0.0-1.x86_64.rpm")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// stocked has packages of the real program, and what judges them.
func stocked(t *testing.T, judge parts.Part) (*shelf, parts.Paths) {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), judge)
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(t)
	s.stock("v1.0.0", t.TempDir())
	return s, paths
}
