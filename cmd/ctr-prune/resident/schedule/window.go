package schedule

import (
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Window is a time of the week, by the clocks on the walls of a place: what they
// show twice in the night in which they are set back counts twice, and what they
// skip in spring does not come.
type Window struct {
	// Days are those on which it begins, in the order of [time.Weekday].
	Days [7]bool
	// From and To are counted from midnight. If To is not after From, the window
	// ends on the next day.
	From, To time.Duration
	Place    *time.Location
}

// Windows are the windows of a policy. Local is the place of those that name no
// zone.
func Windows(policy *prune.Retention, local *time.Location) ([]Window, error) {
	var windows []Window
	for _, w := range policy.Serve.Windows {
		place := local
		if w.Zone != "" {
			var err error
			if place, err = time.LoadLocation(w.Zone); err != nil {
				return nil, fmt.Errorf("the window %q: %w", w.Typed, err)
			}
		}
		windows = append(windows, Window{Days: w.Days, From: w.From, To: w.To, Place: place})
	}
	return windows, nil
}

// Open says whether the window is open at that time.
func (w Window) Open(t time.Time) bool {
	t = t.In(w.Place)
	hour, minute, second := t.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	today, yesterday := w.Days[t.Weekday()], w.Days[(t.Weekday()+6)%7]
	if w.From < w.To {
		return today && w.From <= clock && clock < w.To
	}
	return today && w.From <= clock || yesterday && clock < w.To
}
