package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run is over when it says so, though its process lives, and no other run
// of the process with it.
func TestBegin(t *testing.T) {
	p := Procfs{}
	first, endFirst := p.Begin()
	second, endSecond := p.Begin()
	defer endSecond()
	bare := first
	bare.Sign = ""
	if diff := cmp.Diff(p.Self(), bare); diff != "" || !strings.HasPrefix(first.Sign, "pipe:[") || first.Sign == second.Sign {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	if got := Decode(first.Encode()); got != first {
		t.Errorf("read back (-want +got):\n%s", cmp.Diff(first, got))
	}
	if p.Dead(first) || p.Dead(second) {
		t.Error("a run that lasts is dead")
	}
	endFirst()
	if !p.Dead(first) || p.Dead(second) || p.Dead(p.Self()) {
		t.Errorf("after the first: dead %v, the second %v, the process %v", p.Dead(first), p.Dead(second), p.Dead(p.Self()))
	}
}

// A procfs that does not show the pipe where it is looked for, as one of
// another PID namespace, must not be relied on: it would prove what lasts dead.
func TestBeginUnseen(t *testing.T) {
	pid := os.Getpid()
	fds := filepath.Join(itoa(pid), "fd")
	for name, show := range map[string]func(machine){
		"nothing":                 func(machine) {},
		"the files of another":    func(m machine) { must(0, os.MkdirAll(filepath.Join(m.dir, fds), 0o700)) },
		"other files at the same": func(m machine) { m.opens(pid, strings.Split(strings.Repeat("pipe:[1] ", 100), " ")[:100]...) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.write(itoa(pid)+"/stat", stat(itoa(pid)+" (node agent) S", 1000))
			show(m)
			owner, end := m.procfs().Begin()
			if owner.Sign != "" || m.procfs().Dead(owner) {
				t.Errorf("sign %q, dead %v", owner.Sign, m.procfs().Dead(owner))
			}
			if end(); m.procfs().Dead(owner) {
				t.Error("a run without a sign is over before its process")
			}
		})
	}
}
