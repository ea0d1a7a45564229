package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func itoa(n int) string { return strconv.Itoa(n) }

// machine is a procfs with one booted kernel and one PID namespace.
type machine struct {
	t   *testing.T
	dir string
}

const (
	bootNow    = "5a2c0e5f-7b5c-4a58-9d3c-0d4f4c6a1b11"
	bootBefore = "00000000-7b5c-4a58-9d3c-0d4f4c6a1b11"
	pidnsHere  = "pid:[4026531836]"
	pidnsOther = "pid:[4026532999]"
)

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	m.write("sys/kernel/random/boot_id", bootNow+"\n")
	must(0, os.MkdirAll(filepath.Join(m.dir, "self/ns"), 0o700))
	must(0, os.Symlink(pidnsHere, filepath.Join(m.dir, "self/ns/pid")))
	m.write("1/stat", stat("1 (init) S", 3))
	return m
}

func (m machine) write(path, text string) {
	full := filepath.Join(m.dir, path)
	must(0, os.MkdirAll(filepath.Dir(full), 0o700))
	must(0, os.WriteFile(full, []byte(text), 0o600))
}

// opens shows what a process has open.
func (m machine) opens(pid int, links ...string) {
	dir := filepath.Join(m.dir, itoa(pid), "fd")
	must(0, os.MkdirAll(dir, 0o700))
	for fd, link := range links {
		must(0, os.Symlink(link, filepath.Join(dir, itoa(fd))))
	}
}

func (m machine) procfs() Procfs { return Procfs{Root: m.dir} }
