package typed

import (
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
)

// Duration is the value of a flag in which days and weeks may be typed as in an age.
type Duration time.Duration

// NewDuration returns the value of a flag that sets d, which is that much if nobody types
// anything.
func NewDuration(d *time.Duration, value time.Duration) *Duration {
	*d = value
	return (*Duration)(d)
}

// Set reads what Go reads, among it what is below zero, which is refused with better
// words later, or an age.
func (d *Duration) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil {
		value, err = filters.ParseAge(text)
	}
	*d = Duration(value)
	return err
}

// Type is the one that pflag has for durations.
func (d *Duration) Type() string { return "duration" }

func (d *Duration) String() string { return time.Duration(*d).String() }
