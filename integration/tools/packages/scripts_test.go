package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// The scripts of the packages, and those of the repository, have none of the mistakes
// that shellcheck knows.
func TestScriptsAreClean(t *testing.T) {
	if _, err := parts.Ensure(t.Context(), parts.Shellcheck); err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("../../../deploy/packages/*.sh")
	if err != nil || len(scripts) != 3 {
		t.Fatalf("scripts are %q, %v", scripts, err)
	}
	output(t, "shellcheck", append(scripts, "../../../.ci/run")...)
}

// systemd finds no mistake in the units, and the services are restricted as much as is
// said.
func TestUnitsAreHardened(t *testing.T) {
	paths, err := parts.Ensure(t.Context(), parts.Systemd)
	if err != nil {
		t.Fatal(err)
	}
	analyze := paths.Bin(parts.Systemd, "systemd-analyze")
	for _, unit := range []string{"ctr-prune.service", "ctr-prune-run.service"} {
		said, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=20", "--no-pager", "../../../deploy/systemd/"+unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", unit, err, said)
		}
	}
}
