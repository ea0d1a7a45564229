package resident

import "time"

// onTime moves what is due at a time that is further ahead than it ever is when it is
// set: somebody has set the clock back since, and it would not come for as long. The
// clock of a process that is not asked for the time of day goes on, but a schedule is
// by the time of day. What was set forward is due, once.
func (r *Resident) onTime(now time.Time) {
	for at, most := range map[*time.Time]time.Duration{
		&r.reloadAt: reloadEvery, &r.lockAt: lockRetry, &r.connectAt: connectMax, &r.lookAt: lookEvery,
		&r.diskAt: r.conf.checkEvery(), &r.surveyAt: surveyEvery, &r.retryAt: retryMax, &r.disks.until: shortMax,
		&r.kubeletAt: kubeletEvery,
	} {
		if at.Sub(now) > most {
			*at = now.Add(most)
		}
	}
	if r.scheduled.After(now.Round(0)) {
		r.scheduled = now.Round(0)
		r.runAt = r.conf.schedule.Next(r.scheduled, now)
	}
}
