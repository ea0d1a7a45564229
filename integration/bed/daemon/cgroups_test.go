package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// The groups of a folder's containers go also when no client named a parent for
// them, and others stay.
func TestGroupsOfBundlesAreRemoved(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a cgroup here")
	}
	dir := t.TempDir()
	unique := filepath.Base(filepath.Dir(dir))
	own, named := "own"+unique, "named"+unique
	writeBundle(t, dir, "ns"+unique, own, `{"linux":{"cgroupsPath":"/ns`+unique+`/`+own+`"}}`)
	writeBundle(t, dir, "ns"+unique, named, `{"linux":{"cgroupsPath":"/somewhere/`+named+`"}}`)
	hierarchy := cgroupRoot
	if v1, err := filepath.Glob(cgroupRoot + "/*/tasks"); err == nil && len(v1) > 0 {
		hierarchy = filepath.Dir(v1[0])
	}
	hierarchy = filepath.Join(hierarchy, "ns"+unique)
	for _, name := range []string{"", own, named} {
		group := filepath.Join(hierarchy, name)
		if err := os.Mkdir(group, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = removeGroup(group) })
	}
	if err := removeCgroups(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(hierarchy, own)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the group of a container is left: %v", err)
	}
	if _, err := os.Stat(filepath.Join(hierarchy, named)); err != nil {
		t.Errorf("another group is gone: %v", err)
	}
}

// writeBundle writes what a container is started with.
func writeBundle(t *testing.T, dir, namespace, id, config string) {
	t.Helper()
	bundle := filepath.Join(dir, "state", "io.containerd.runtime.v2.task", namespace, id)
	if err := os.MkdirAll(bundle, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}
