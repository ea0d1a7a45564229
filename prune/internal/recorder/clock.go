package recorder

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
)

// Clock is how a recorder tells how long it waits. The fields that are nil are the
// machine's.
type Clock struct {
	// Up names the time since the machine started, and says how long that is and how
	// long it was not suspended, as [lastuse.Moment] has it.
	Up func() (boot string, up, ran time.Duration)
	// After sends once the time is over.
	After func(time.Duration) <-chan time.Time
}

// moment is what time it is by all clocks.
func (r *Recorder) moment() lastuse.Moment {
	m := lastuse.Moment{Wall: r.Now()}
	if r.Clock.Up != nil {
		m.Boot, m.Up, m.Ran = r.Clock.Up()
		return m
	}
	var up, ran unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) == nil && unix.ClockGettime(unix.CLOCK_MONOTONIC, &ran) == nil {
		m.Boot, m.Up, m.Ran = r.boot(), time.Duration(up.Nano()), time.Duration(ran.Nano())
	}
	return m
}

// boot is the machine's boot ID, which does not change while this runs.
func (r *Recorder) boot() string {
	if r.bootID == "" {
		r.bootID = r.Read.Procfs.Boot()
	}
	return r.bootID
}

func (r *Recorder) after(d time.Duration) <-chan time.Time {
	if r.Clock.After != nil {
		return r.Clock.After(d)
	}
	return time.After(d)
}
