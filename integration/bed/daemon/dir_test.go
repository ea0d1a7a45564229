package daemon

import (
	"os"
	"strings"
	"testing"
)

func TestFoldersOfDeadTestsAreSwept(t *testing.T) {
	parent, err := os.MkdirTemp("/tmp", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parent)
	alive, owner, err := makeDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	dead, gone, err := makeDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	gone.Close() // what the kernel does for a process that dies

	sweep(parent)
	if _, err := os.Stat(dead); err == nil {
		t.Error("the folder of a dead test is still there")
	}
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("the folder of a living test: %v", err)
	}
}

func TestSocketPathsStayShort(t *testing.T) {
	long := t.TempDir() + "/" + strings.Repeat("d", 100)
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, owner, err := makeDir(long)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer owner.Close()
	if n := len(address(dir)); n > longestSocket {
		t.Errorf("%s is %d bytes long", address(dir), n)
	}
}
