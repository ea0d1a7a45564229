package resident

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/flock"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
	"github.com/ctr-prune/ctr-prune/prune"
)

// How often the loop does what it does.
const (
	// beatEvery is how often it turns at least, silence after how long without a
	// turn it counts as stuck.
	beatEvery = 10 * time.Second
	silence   = time.Minute
	// lookEvery is how often containerd is asked for a sign of life, fresh how long
	// an answer is believed.
	lookEvery = 45 * time.Second
	fresh     = 2 * time.Minute
	// surveyEvery is how often the whole store is read for the metrics.
	surveyEvery = time.Hour
	// reloadEvery is how often the file of the configuration is read.
	reloadEvery = 30 * time.Second
	// lockEvery is how often the lock of another resident is tried, lockRetry how
	// often one that cannot be.
	lockEvery, lockRetry = time.Second, time.Minute
	// A connection, or a run that failed, is tried again after a time that doubles.
	connectMin, connectMax = time.Second, 30 * time.Second
	retryMin, retryMax     = time.Minute, time.Hour
)

// Resident is one loop.
type Resident struct {
	o       Options
	conf    *config
	history history.Folder
	web     *listener

	// lock is that of the state, nil until it was taken. Unlocked says that it
	// cannot be, so that the work is done without.
	lock     *flock.Lock
	unlocked bool
	conn     *connection

	job  *job
	done chan func() // what a job has found out, for the loop

	// What is due at which time; what is zero is not.
	lockAt, connectAt, lookAt, diskAt, surveyAt, runAt, retryAt, reloadAt, kubeletAt, pageAt time.Time
	connectWait, retryWait                                                                   backoff
	// manual says that somebody asked for a run, recovered that what killed runs
	// left was looked for.
	manual, recovered bool
	// scheduled is when the last scheduled run began.
	scheduled time.Time
	page      *pages

	recorder  *prune.UseRecorder
	unwatched unwatched
	// heard says that something happened after which more may be freed. It does not wake
	// the loop, because it may happen many times a second.
	heard atomic.Bool

	announcer *announcer

	disks  disks
	facts  facts
	beat   atomic.Pointer[time.Time]
	status atomic.Pointer[Status]
}

// New makes a resident.
func New(o Options) *Resident {
	return &Resident{
		o: o, done: make(chan func(), 1), page: newPages(),
		connectWait: backoff{min: connectMin, max: connectMax}, retryWait: backoff{min: retryMin, max: retryMax},
		unwatched: unwatched{errs: make(map[string]string)}, disks: disks{wait: backoff{min: shortMin, max: shortMax}},
	}
}

// Run works until the context ends, and finishes what is under way then. The error
// is about the configuration, with which nothing can be begun.
func (r *Resident) Run(ctx context.Context) error {
	if err := r.configure(ctx); err != nil {
		return err
	}
	defer r.close()
	r.announcer = r.announce()
	r.told(r.o.Manager.Ready(r.facts.sentence()))
	for ctx.Err() == nil {
		r.begin(ctx)
		r.publish()
		r.turn(ctx)
	}
	r.finish()
	return nil
}

// turn waits for something to happen, and does what follows from it.
func (r *Resident) turn(ctx context.Context) {
	timer := time.NewTimer(r.untilNext())
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case then := <-r.done:
		r.ended(then)
	case <-r.page.asked:
		r.pageAt = r.page.due(r.o.Now())
	case <-r.o.Hangup:
		r.hangup(ctx)
	case <-r.o.RunNow:
		r.manual = true
		r.o.Log.Info("a run was asked for")
	case <-timer.C:
	}
}

// finish waits for the job that is under way, which is told to end. Meanwhile the
// loop beats, so that nobody takes it for stuck, and asks for time.
func (r *Resident) finish() {
	r.facts.state = stateStopping
	for r.job != nil {
		r.publish()
		r.told(r.o.Manager.Stopping(r.facts.sentence()))
		r.told(r.o.Manager.Extend(extension))
		timer := time.NewTimer(beatEvery)
		select {
		case then := <-r.done:
			r.ended(then)
		case <-timer.C:
		}
		timer.Stop()
	}
	r.publish()
	r.told(r.o.Manager.Stopping(r.facts.sentence()))
}

// extension is for how long the service manager is asked for patience: longer than
// to the next time.
const extension = 3 * beatEvery

// close gives back all that the resident has. Nothing is under way any more.
func (r *Resident) close() {
	r.disconnect()
	r.web.stop()
	r.announcer.stop()
	if r.lock != nil {
		_ = r.lock.Close() // the process ends
	}
}

// begin begins what is due, unless something is under way.
func (r *Resident) begin(ctx context.Context) {
	now := r.o.Now()
	r.onTime(now)
	if r.heard.Swap(false) {
		r.helped()
	}
	if due(r.reloadAt, now) {
		r.reload(ctx)
	}
	if r.job != nil || !r.locked(now) {
		return
	}
	r.reconnect(now)
	switch {
	case r.conn == nil:
		if due(r.connectAt, now) {
			r.connect(ctx)
		}
	case !r.recovered:
		r.start(ctx, triggerStartup)
	case r.conf.watched() && due(r.diskAt, now):
		r.check(ctx)
	case r.pressing(now):
		r.start(ctx, triggerPressure)
	case due(r.surveyAt, now):
		r.survey(ctx)
	case r.manual:
		r.start(ctx, triggerManual)
	case due(r.retryAt, now) || r.retryAt.IsZero() && due(r.runAt, now):
		r.start(ctx, triggerSchedule)
	case due(r.pageAt, now):
		r.readForPage(ctx)
	case due(r.kubeletAt, now):
		r.askKubelet(ctx)
	case due(r.lookAt, now):
		r.look(ctx)
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// untilNext is how long the loop may sleep.
func (r *Resident) untilNext() time.Duration {
	now := r.o.Now()
	wait := beatEvery
	if r.o.Manager.Watchdog > 0 {
		wait = min(wait, r.o.Manager.Watchdog/3)
	}
	consider := func(at time.Time) {
		if !at.IsZero() {
			wait = min(wait, max(0, at.Sub(now)))
		}
	}
	consider(r.reloadAt)
	switch {
	case r.job != nil:
	case r.lock == nil && !r.unlocked:
		consider(r.lockAt)
	case r.conn == nil:
		consider(r.connectAt)
	default:
		consider(r.surveyAt)
		if r.conf.watched() {
			consider(r.diskAt)
		}
		consider(r.lookAt)
		consider(r.kubeletAt)
		consider(r.pageAt)
		if r.retryAt.IsZero() {
			consider(r.runAt)
		}
		consider(r.retryAt)
	}
	return wait
}

// publish shows others how the resident is, and that its loop turns.
func (r *Resident) publish() {
	now := r.o.Now()
	r.beat.Store(&now)
	s := r.snapshot(now)
	r.status.Store(s)
	r.page.node.Store(r.nodeOf(s))
	r.page.everywhere.Store(r.conf.Serve.Page == pageEverywhere)
	r.told(r.o.Manager.Status(r.facts.sentence()))
}

// told says that the service manager could not be told something.
func (r *Resident) told(err error) {
	if err != nil {
		r.o.Log.Debug("the service manager is not told", "error", err)
	}
}

// Live says why the loop does not turn, nil if it does.
func (r *Resident) Live() error {
	last := r.beat.Load()
	if last == nil {
		return errors.New("it is starting")
	}
	if quiet := r.o.Now().Sub(*last); quiet > silence {
		return errors.New("the loop has not turned for " + quiet.Round(time.Second).String())
	}
	return nil
}

// backoff is a time that doubles.
type backoff struct{ min, max, next time.Duration }

func (b *backoff) wait() time.Duration {
	wait := max(b.min, b.next)
	b.next = min(b.max, 2*wait)
	return wait
}

func (b *backoff) reset() { b.next = 0 }
