package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stat is what /proc/PID/stat holds: the fields up to the state, then 18 that
// do not matter, then the start time, then more.
func stat(head string, start uint64) string {
	return fmt.Sprintf("%s%s %d 11112222 333 4444\n", head, strings.Repeat(" 7", 18), start)
}

func TestDead(t *testing.T) {
	owner := Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsHere, Host: "node"}
	with := func(change func(*Owner)) Owner {
		o := owner
		change(&o)
		return o
	}
	for _, c := range []struct {
		name  string
		owner Owner
		stat  string // of process 42; none if empty
		want  bool
	}{
		{"runs", owner, stat("42 (ctr-prune) S", 1000), false},
		{"is gone", owner, "", true},
		{"its PID is another's", owner, stat("42 (ctr-prune) S", 2000), true},
		{"has ended, unwaited for", owner, stat("42 (ctr-prune) Z", 1000), true},
		{"is being removed", owner, stat("42 (ctr-prune) X", 1000), true},
		{"sleeps in the kernel", owner, stat("42 (ctr-prune) D", 1000), false},
		{"is called like a stat line", owner, stat("42 (a) Z 7 7 (b) c) S", 1000), false},
		{"is called like one and is another's", owner, stat("42 (a) S 7 7 (b) c) S", 1001), true},
		{"before the boot", with(func(o *Owner) { o.BootID = bootBefore }), stat("42 (ctr-prune) S", 1000), true},
		{"before the boot, PID free", with(func(o *Owner) { o.BootID = bootBefore }), "", true},
		{"boot unknown", with(func(o *Owner) { o.BootID = "" }), "", false},
		{"another PID namespace", with(func(o *Owner) { o.PIDNamespace = pidnsOther }), "", false},
		{"PID namespace unknown", with(func(o *Owner) { o.PIDNamespace = "" }), "", false},
		{"another PID namespace, before the boot", with(func(o *Owner) { o.PIDNamespace, o.BootID = pidnsOther, bootBefore }), "", true},
		{"start unknown, PID taken", with(func(o *Owner) { o.Start = 0 }), stat("42 (sh) S", 2000), false},
		{"start unknown, PID free", with(func(o *Owner) { o.Start = 0 }), "", true},
		{"PID unknown", with(func(o *Owner) { o.PID = 0 }), "", false},
		{"nothing known", Owner{}, "", false},
		{"stat is cut off", owner, "42 (ctr-prune) S 1 2", false},
		{"stat has no name", owner, strings.Repeat("7 ", 60), false},
		{"start is no number", owner, strings.Replace(stat("42 (ctr-prune) S", 1000), "1000", "x", 1), false},
		{"stat is empty", owner, " ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			if c.stat != "" {
				m.write("42/stat", c.stat)
			}
			if got := m.procfs().Dead(c.owner); got != c.want {
				t.Errorf("Dead = %v, want %v", got, c.want)
			}
		})
	}
}

// A run of a process that lives is over when its sign is not there any more,
// and only where the process shows what it has open.
func TestDeadRunOfALivingProcess(t *testing.T) {
	owner := Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsHere, Sign: "pipe:[7]"}
	for _, c := range []struct {
		name  string
		owner Owner
		open  []string // what process 42 has open; nil: that is not shown
		want  bool
	}{
		{"lasts", owner, []string{"/dev/null", "pipe:[6]", "pipe:[7]"}, false},
		{"has ended", owner, []string{"/dev/null", "pipe:[6]", "pipe:[77]"}, true},
		{"another one lasts", owner, []string{"pipe:[8]"}, true},
		{"is not shown", owner, nil, false},
		{"nothing is shown", owner, []string{}, false},
		{"has no sign", Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsHere}, []string{"pipe:[6]"}, false},
		{"start unknown", Owner{PID: 42, BootID: bootNow, PIDNamespace: pidnsHere, Sign: "pipe:[7]"}, []string{"pipe:[6]"}, false},
		{"another PID namespace", Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsOther, Sign: "pipe:[7]"}, []string{"pipe:[6]"}, false},
		{"its PID is another's, which has such a pipe", Owner{PID: 42, Start: 900, BootID: bootNow, PIDNamespace: pidnsHere, Sign: "pipe:[7]"}, []string{"pipe:[7]"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			m.write("42/stat", stat("42 (node agent) S", 1000))
			if c.open != nil {
				m.opens(42, c.open...)
			}
			if got := m.procfs().Dead(c.owner); got != c.want {
				t.Errorf("Dead = %v, want %v", got, c.want)
			}
		})
	}
	t.Run("a descriptor is no link", func(t *testing.T) {
		m := newMachine(t)
		m.write("42/stat", stat("42 (node agent) S", 1000))
		m.write("42/fd/3", "not to be read as one")
		if m.procfs().Dead(owner) {
			t.Error("what cannot be read proved it dead")
		}
	})
}

// A machine that tells too little proves nobody dead.
func TestDeadUnknown(t *testing.T) {
	owner := Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsHere}
	for name, missing := range map[string]string{
		"no boot ID": "sys/kernel/random/boot_id", "no PID namespace": "self/ns/pid",
		"processes of others are hidden": "1/stat",
	} {
		m := newMachine(t)
		must(0, os.Remove(filepath.Join(m.dir, missing)))
		if m.procfs().Dead(owner) {
			t.Errorf("%s: proved dead", name)
		}
	}
	if (Procfs{Root: filepath.Join(t.TempDir(), "none")}).Dead(owner) {
		t.Error("no procfs at all: proved dead")
	}
}

func TestSelf(t *testing.T) {
	self := Procfs{}.Self()
	if self.PID != os.Getpid() || self.Start == 0 || self.BootID == "" || self.PIDNamespace == "" {
		t.Fatalf("Self() = %+v", self)
	}
	if (Procfs{}).Dead(self) {
		t.Error("this process is dead")
	}
	earlier := self
	earlier.Start--
	if !(Procfs{}).Dead(earlier) {
		t.Error("a process of this PID that started earlier is not dead")
	}
	if got := Decode(self.Encode()); got != self {
		t.Errorf("read back (-want +got):\n%s", cmp.Diff(self, got))
	}
}

func TestOwnerString(t *testing.T) {
	for want, owner := range map[string]Owner{
		"an unknown process":  {Host: "node"},
		"process 42":          {PID: 42},
		"process 42 on node1": {PID: 42, Host: "node1"},
	} {
		if got := owner.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, text := range []string{`{"pid":1,"pid":2}`, `{"pid":1,"PID":2}`} {
		if got := Decode(text); got != (Owner{}) {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
	if got := Decode("{"); got != (Owner{}) {
		t.Errorf("garbage is owner %+v", got)
	}
}
