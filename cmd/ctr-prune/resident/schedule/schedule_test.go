package schedule

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

const stamp = "2006-01-02 15:04:05 -0700"

func berlin(t *testing.T) *time.Location {
	t.Helper()
	place, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(stamp, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func days(days ...time.Weekday) (all [7]bool) {
	for _, d := range days {
		all[d] = true
	}
	return all
}

var everyDay = days(0, 1, 2, 3, 4, 5, 6)

// 2026-03-29 and 2026-10-25 are the Sundays on which clocks in Berlin are set.
func TestWindowsAreByTheClocksOnTheWalls(t *testing.T) {
	place := berlin(t)
	night := Window{days(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday), 22 * time.Hour, 6 * time.Hour, place}
	early := Window{everyDay, 2 * time.Hour, 3 * time.Hour, place}
	for _, c := range []struct {
		window Window
		at     string
		open   bool
	}{
		{night, "2026-01-05 22:00:00 +0100", true}, // Monday
		{night, "2026-01-05 21:59:59 +0100", false},
		{night, "2026-01-05 21:00:00 +0000", true},
		{night, "2026-01-06 05:59:59 +0100", true},
		{night, "2026-01-06 06:00:00 +0100", false},
		{night, "2026-01-05 03:00:00 +0100", false}, // it would have begun on Sunday
		{night, "2026-01-10 03:00:00 +0100", true},  // it began on Friday
		{night, "2026-01-10 22:00:00 +0100", false},
		{night, "2026-07-06 20:00:00 +0000", true}, // summer
		{night, "2026-07-06 19:59:59 +0000", false},
		{early, "2026-03-28 02:30:00 +0100", true},
		{early, "2026-03-29 01:59:59 +0100", false},
		{early, "2026-03-29 03:00:00 +0200", false}, // there is no hour from 2 to 3
		{early, "2026-10-25 02:30:00 +0200", true},
		{early, "2026-10-25 02:30:00 +0100", true}, // and there are two of it
		{early, "2026-10-25 03:00:00 +0100", false},
		{Window{days(time.Saturday), 0, 24 * time.Hour, place}, "2026-01-10 23:59:59 +0100", true},
		{Window{days(time.Saturday), 0, 24 * time.Hour, place}, "2026-01-11 00:00:00 +0100", false},
	} {
		if got := c.window.Open(at(t, c.at)); got != c.open {
			t.Errorf("%v at %s: open %v", c.window, c.at, got)
		}
	}
}

func TestNext(t *testing.T) {
	place := berlin(t)
	early := []Window{{everyDay, 2 * time.Hour, 3 * time.Hour, place}}
	sixHours := Schedule{Every: 6 * time.Hour, Offset: 4 * time.Minute, Jitter: 10 * time.Minute}
	const never = "0001-01-01 00:00:00 +0000"
	for name, c := range map[string]struct {
		s               Schedule
		last, now, want string
	}{
		"never":                         {Schedule{}, never, "2026-01-05 10:00:00 +0000", never},
		"the first":                     {sixHours, never, "2026-01-05 10:00:00 +0000", "2026-01-05 12:04:00 +0000"},
		"the next":                      {sixHours, "2026-01-05 12:04:00 +0000", "2026-01-05 12:05:00 +0000", "2026-01-05 18:04:00 +0000"},
		"not the same again":            {sixHours, "2026-01-05 12:04:00 +0000", "2026-01-05 12:04:00 +0000", "2026-01-05 18:04:00 +0000"},
		"one that waited":               {sixHours, "2026-01-05 12:30:00 +0000", "2026-01-05 12:35:00 +0000", "2026-01-05 18:04:00 +0000"},
		"missed, within the jitter":     {sixHours, "2026-01-05 12:04:00 +0000", "2026-01-06 01:01:00 +0000", "2026-01-06 01:04:00 +0000"},
		"missed, and restarted":         {sixHours, "2026-01-05 12:04:00 +0000", "2026-01-06 01:05:00 +0000", "2026-01-06 01:14:00 +0000"},
		"missed, without jitter":        {Schedule{Every: time.Hour}, "2026-01-05 12:00:00 +0000", "2026-01-06 01:05:00 +0000", "2026-01-06 01:05:00 +0000"},
		"a clock set back":              {sixHours, "2027-01-01 00:00:00 +0000", "2026-01-05 12:05:00 +0000", "2026-01-05 18:04:00 +0000"},
		"before 1970":                   {Schedule{Every: time.Hour}, never, "1969-12-31 22:30:00 +0000", "1969-12-31 23:00:00 +0000"},
		"when the window opens":         {Schedule{Every: 6 * time.Hour, Windows: early}, never, "2026-01-05 10:00:00 +0000", "2026-01-06 01:00:00 +0000"},
		"when it opens, and the offset": {Schedule{Every: 6 * time.Hour, Offset: 4 * time.Minute, Windows: early}, never, "2026-01-05 10:00:00 +0000", "2026-01-06 01:04:00 +0000"},
		"an offset beyond the window":   {Schedule{Every: 6 * time.Hour, Offset: 2 * time.Hour, Windows: early}, never, "2026-01-05 10:00:00 +0000", "2026-01-06 01:00:00 +0000"},
		"in the window":                 {Schedule{Every: time.Hour, Offset: 4 * time.Minute, Windows: early}, never, "2026-01-05 01:00:00 +0000", "2026-01-05 01:04:00 +0000"},
		"the hour that is skipped":      {Schedule{Every: 24 * time.Hour, Windows: early}, never, "2026-03-28 10:00:00 +0000", "2026-03-30 00:00:00 +0000"},
		"the hour that comes twice":     {Schedule{Every: 24 * time.Hour, Windows: early}, "2026-10-24 00:10:00 +0000", "2026-10-24 10:00:00 +0000", "2026-10-25 00:00:00 +0000"},
	} {
		got := c.s.Next(at(t, c.last), at(t, c.now))
		if !got.Equal(at(t, c.want)) {
			t.Errorf("%s: %s, want %s", name, got.UTC().Format(stamp), c.want)
		}
	}
}

// A week of nodes: no run is missed, none comes twice, each at its own moment.
func TestOffsetsSpreadNodes(t *testing.T) {
	const jitter = 10 * time.Minute
	var tenth [10]int
	for i := range 1000 {
		node := fmt.Sprintf("node-%04d", i)
		offset := Offset(node, jitter)
		if offset < 0 || offset >= jitter || offset != Offset(node, jitter) {
			t.Fatalf("the offset of %s is %s", node, offset)
		}
		tenth[offset*10/jitter]++
	}
	for i, n := range tenth {
		if n < 60 || n > 140 {
			t.Errorf("%d of 1000 nodes begin in tenth %d: %v", n, i, tenth)
		}
	}
	if Offset("a", 0) != 0 {
		t.Error("an offset without jitter")
	}
}

// Whatever the schedule: the next run is not before now and in a window, nothing
// earlier would do, and following it for a while neither stops nor repeats.
func TestNextOnRandomSchedules(t *testing.T) {
	zones := []*time.Location{time.UTC, berlin(t)}
	for _, name := range []string{"America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"} {
		place, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, place)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := randomSchedule(t, zones)
		now := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "now"), 0)
		last := time.Time{}
		if rapid.Bool().Draw(t, "ran") {
			last = now.Add(-time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "ago")) * time.Second)
		}
		for range 5 {
			next := s.Next(last, now)
			if next.Before(now) || !s.Open(next) {
				t.Fatalf("%+v: after %s at %s comes %s", s, last, now, next)
			}
			if len(s.Windows) == 0 && next.Sub(now) > s.Every {
				t.Fatalf("%+v: after %s at %s comes %s", s, last, now, next)
			}
			if again := s.Next(last, next); s.Windows == nil && !last.IsZero() && !again.Equal(next) {
				t.Fatalf("%+v: at %s, which was waited for, comes %s", s, next, again)
			}
			if !last.IsZero() && !next.After(last) && !next.Equal(now) {
				t.Fatalf("%+v: after %s at %s comes %s again", s, last, now, next)
			}
			last, now = next, next.Add(time.Second)
		}
	})
}

func randomSchedule(t *rapid.T, zones []*time.Location) Schedule {
	minutes := func(name string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Minute
	}
	s := Schedule{Every: minutes("every", 1, 60*24*8)}
	s.Jitter = min(s.Every-1, minutes("jitter", 0, 120))
	s.Offset = Offset(rapid.String().Draw(t, "node"), s.Jitter)
	for range rapid.IntRange(0, 3).Draw(t, "windows") {
		w := Window{From: minutes("from", 0, 60*24-1), To: minutes("to", 1, 60*24), Place: rapid.SampledFrom(zones).Draw(t, "zone")}
		w.Days[rapid.IntRange(0, 6).Draw(t, "day")] = true
		if w.From == w.To {
			w.To = w.From + time.Minute
		}
		s.Windows = append(s.Windows, w)
	}
	return s
}

// Where no clock is set, a window is the interval between two moments of days.
func TestWindowsAreIntervals(t *testing.T) {
	place := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, 60*24-1).Draw(t, "from")
		to := rapid.IntRange(1, 60*24).Filter(func(to int) bool { return to != from }).Draw(t, "to")
		day := rapid.IntRange(5, 11).Draw(t, "day") // a week of January 2026
		begin := time.Date(2026, time.January, day, 0, from, 0, 0, place)
		end := time.Date(2026, time.January, day, 0, to, 0, 0, place)
		if to < from {
			end = end.AddDate(0, 0, 1)
		}
		w := Window{days(begin.Weekday()), time.Duration(from) * time.Minute, time.Duration(to) * time.Minute, place}
		moment := time.Date(2026, time.January, 4, 0, 0, rapid.IntRange(0, 9*24*3600).Draw(t, "second"), 0, place)
		within := func(begin, end time.Time) bool { return !moment.Before(begin) && moment.Before(end) }
		want := within(begin, end) || within(begin.AddDate(0, 0, 7), end.AddDate(0, 0, 7)) || within(begin.AddDate(0, 0, -7), end.AddDate(0, 0, -7))
		if w.Open(moment) != want {
			t.Fatalf("%v from %s to %s at %s: open %v", w, begin, end, moment, !want)
		}
	})
}
