package proc

import (
	"os"
	"strconv"
	"testing"
)

// Whoever has the lock that an owner had for life knows that it is gone, also in
// another PID namespace, and knows nothing of others.
func TestDeadByTheLockOfItsLife(t *testing.T) {
	m := newMachine(t)
	m.write(strconv.Itoa(os.Getpid())+"/stat", stat("7 (ctr-prune) S", 5))
	p := m.procfs()
	p.Lock = "8:17"
	self := p.Self()
	if self.Lock != p.Lock {
		t.Errorf("the lock of this process is not in %+v", self)
	}
	owner := Owner{PID: 42, Start: 1000, BootID: bootNow, PIDNamespace: pidnsOther, Lock: "8:17"}
	for name, c := range map[string]struct {
		change func(*Owner, *Procfs)
		want   bool
	}{
		"it had the lock":            {func(*Owner, *Procfs) {}, true},
		"it has another lock":        {func(o *Owner, _ *Procfs) { o.Lock = "8:18" }, false},
		"it has none":                {func(o *Owner, _ *Procfs) { o.Lock = "" }, false},
		"nobody has one":             {func(o *Owner, p *Procfs) { o.Lock, p.Lock = "", "" }, false},
		"this process has none":      {func(_ *Owner, p *Procfs) { p.Lock = "" }, false},
		"the boot is unknown":        {func(o *Owner, _ *Procfs) { o.BootID = "" }, false},
		"it is this process":         {func(o *Owner, _ *Procfs) { *o = self }, false},
		"it has this process's PID":  {func(o *Owner, _ *Procfs) { o.PID = self.PID }, true},
		"another start, another one": {func(o *Owner, _ *Procfs) { *o = self; o.Start++ }, true},
	} {
		o, by := owner, p
		c.change(&o, &by)
		if got := by.Dead(o); got != c.want {
			t.Errorf("%s: Dead = %v, want %v", name, got, c.want)
		}
	}
}
