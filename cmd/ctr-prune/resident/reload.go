package resident

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
)

// loadTime is how long reading the configuration may take: it may be on a file
// system that does not answer.
const loadTime = 10 * time.Second

func (r *Resident) load(ctx context.Context) (*config, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	policy, err := r.o.Load(ctx)
	if err != nil {
		return nil, err
	}
	return r.o.config(policy)
}

// configure reads the configuration for the first time.
func (r *Resident) configure(ctx context.Context) error {
	conf, err := r.load(ctx)
	if err != nil {
		return err
	}
	now := r.o.Now()
	r.history, r.recorder = history.In(conf.state), r.newRecorder(conf.state)
	r.o.Metrics.Tracking(r.watched)
	r.scheduled = r.lastScheduled()
	if r.scheduled.IsZero() {
		r.scheduled = now.Round(0) // by the time of day
	}
	r.lockAt, r.connectAt, r.reloadAt = now, now, now.Add(reloadEvery)
	r.facts.begin(r)
	r.adopt(conf, now)
	if r.o.DryRun && !r.runAt.IsZero() {
		r.runAt = now // somebody wants to see what it would do
	}
	return nil
}

// adopt takes a configuration into use.
func (r *Resident) adopt(conf *config, now time.Time) {
	before := r.conf
	if before != nil && before.state != conf.state {
		r.o.Log.Warn("serve.state has changed, which a restart only takes into use", "state", before.state)
		conf.state = before.state
	}
	r.conf = conf
	r.diskAt, r.disks.until, r.kubeletAt = now, time.Time{}, time.Time{}
	if conf.Serve.KubeletCheck && r.o.Kubelet != nil {
		r.kubeletAt = now
	} else {
		r.facts.kubelet = nil
		r.o.Metrics.KubeletConflicts(0)
	}
	r.runAt = conf.schedule.Next(r.scheduled, now)
	r.o.Metrics.Configured(true)
	r.facts.configured(now)
	if before == nil || before.listen != conf.listen {
		r.web.stop()
		r.web = r.listen(conf.listen)
	}
}

// lastScheduled is when the last scheduled run of an earlier process began.
func (r *Resident) lastScheduled() time.Time {
	entries, _ := r.history.List() // what cannot be read says nothing
	for _, e := range entries {
		if e.Trigger == triggerSchedule && e.Result != resultFailed && e.Result != resultBusy {
			return e.Started
		}
	}
	return time.Time{}
}

// hangup reads the configuration again because somebody asks for it.
func (r *Resident) hangup(ctx context.Context) {
	r.told(r.o.Manager.Reloading())
	r.reload(ctx)
	r.told(r.o.Manager.Ready(r.facts.sentence()))
}

// reload reads the configuration again, and takes it into use if it has changed. One
// that cannot be used leaves the old one in use, which is told once.
func (r *Resident) reload(ctx context.Context) {
	now := r.o.Now()
	r.reloadAt = now.Add(reloadEvery)
	conf, err := r.load(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
	case err != nil:
		r.o.Metrics.Configured(false)
		r.facts.misconfigured(r, err)
	case conf.Sum == r.conf.Sum:
		if r.facts.configError != "" {
			r.o.Log.Info("the configuration in the file is the one in use again", "file", r.o.File)
			r.o.Metrics.Configured(true)
			r.facts.configured(now)
		}
	default:
		r.adopt(conf, now)
		r.o.Log.Info("the configuration was taken into use", "file", r.o.File)
	}
}
