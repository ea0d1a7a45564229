package lastuse

import (
	"fmt"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	web  = Key{"default", digest.FromString("web")}
	db   = Key{"default", digest.FromString("db")}
)

const day = 24 * time.Hour

// at is a moment of a machine whose clocks both go right.
func at(d time.Duration) Moment { return Moment{noon.Add(d), "boot", time.Hour + d, d} }

// A look adds what it sees; what it does not see any more leaves after seven days,
// and keeps its last use until then, also if it comes back.
func TestGoneImagesLeave(t *testing.T) {
	l := NewLog()
	there, gone := map[Key]string{web: `container web-1`, db: ""}, map[Key]string{db: ""}
	l.Merge(Look{At: noon, Images: there})
	for _, step := range []struct {
		after  time.Duration
		images map[Key]string
		want   Use
		len    int
	}{
		{day, gone, Use{noon, "container web-1"}, 2},
		{day + Forgotten - time.Second, gone, Use{noon, "container web-1"}, 2},
		{8 * day, map[Key]string{web: "", db: ""}, Use{noon, "container web-1"}, 2},
		{9 * day, gone, Use{noon, "container web-1"}, 2},
		{9*day + Forgotten, gone, Use{}, 1},
	} {
		l.Merge(Look{At: noon.Add(step.after), Images: step.images})
		now := noon.Add(step.after)
		if got := l.View().Last(web.Namespace, web.Target, now); got != step.want || l.Len() != step.len {
			t.Errorf("after %s: %+v of %d images, want %+v of %d", step.after, got, l.Len(), step.want, step.len)
		}
	}
	if got := l.View().Seen(db.Namespace, db.Target, noon.Add(day)); !got.Equal(noon) {
		t.Errorf("first seen %s", got)
	}
}

// What could not be read is not gone.
func TestUnreadNamespacesKeepTheirImages(t *testing.T) {
	l := NewLog()
	l.Merge(Look{At: noon, Images: map[Key]string{web: "container web-1"}})
	for d := range 30 {
		l.Merge(Look{At: noon.Add(time.Duration(d) * day), Unread: map[string]bool{"default": true}})
	}
	if l.Len() != 1 {
		t.Errorf("%d images are known", l.Len())
	}
}

// Since when use is watched, after what happens to the machine, its clocks and who
// watches. Each step comes five minutes after the last, in which somebody watched,
// but for what it says.
func TestWatchedSince(t *testing.T) {
	began := noon
	for name, test := range map[string]struct {
		// from is when somebody watched last, to when again.
		from, to Moment
		want     time.Time // relative to what was watched before
	}{
		"no gap":                        {at(0), at(time.Minute), began.Add(-30 * day)},
		"a restart":                     {at(0), at(Bridged), began.Add(-30 * day)},
		"nobody watched":                {at(0), at(Bridged + 1), began.Add(Bridged + 1)},
		"a quick boot":                  {at(0), Moment{noon.Add(time.Minute), "other", time.Minute, time.Minute}, began.Add(-30 * day)},
		"a slow boot":                   {at(0), Moment{noon.Add(time.Hour), "other", time.Minute, time.Minute}, began.Add(time.Hour)},
		"clock set back at a boot":      {at(0), Moment{noon.Add(-time.Second), "other", time.Minute, time.Minute}, began.Add(-time.Second)},
		"clock set back":                {at(0), Moment{noon.Add(-3 * day), "boot", time.Hour + time.Minute, time.Minute}, began.Add(-30 * day)},
		"clock set back in a gap":       {at(0), Moment{noon.Add(-3 * day), "boot", 2 * time.Hour, time.Hour}, began.Add(-3 * day)},
		"clock set forward":             {at(0), Moment{noon.Add(3 * day), "boot", time.Hour + time.Minute, time.Minute}, began.Add(3 * day)},
		"clock set forward by a little": {at(0), Moment{noon.Add(5 * time.Minute), "boot", time.Hour + time.Minute, time.Minute}, began.Add(-30*day + 4*time.Minute)},
		"suspended":                     {at(0), Moment{noon.Add(8 * time.Hour), "boot", 9 * time.Hour, time.Minute}, began.Add(-30 * day)},
		"suspended in a gap":            {at(0), Moment{noon.Add(8 * time.Hour), "boot", 9 * time.Hour, time.Hour}, began.Add(8 * time.Hour)},
		"no boot ID":                    {Moment{Wall: noon}, Moment{Wall: noon.Add(time.Minute)}, began.Add(-30 * day)},
		"no boot ID, clock set back":    {Moment{Wall: noon}, Moment{Wall: noon.Add(-time.Hour)}, began.Add(-time.Hour)},
	} {
		l := NewLog()
		l.since, l.until = began.Add(-30*day), test.from
		l.Watched(test.to)
		if got := l.View().Since(test.to.Wall); !got.Equal(test.want) {
			t.Errorf("%s: watched since %s, want %s", name, got, test.want)
		}
	}
}

// What a view says depends on the time at which it is asked: nobody watches if the
// last word is too old, or from a time that has not come.
func TestViewAt(t *testing.T) {
	l := NewLog()
	l.Merge(Look{At: noon.Add(-time.Hour), Images: map[Key]string{web: "container web-1"}})
	l.Watched(at(-time.Hour))
	for d := -time.Hour; d <= 0; d += time.Minute {
		l.Watched(at(d))
	}
	v := l.View()
	for _, test := range []struct {
		now         time.Time
		since, last time.Time
	}{
		{noon, noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{noon.Add(Bridged), noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{noon.Add(Bridged + 1), time.Time{}, noon.Add(-time.Hour)},
		{noon.Add(-Bridged), noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{noon.Add(-2 * time.Hour), time.Time{}, noon.Add(-2 * time.Hour)},
	} {
		if got := v.Since(test.now); !got.Equal(test.since) {
			t.Errorf("at %s: watched since %s, want %s", test.now, got, test.since)
		}
		if got := v.Last(web.Namespace, web.Target, test.now).At; !got.Equal(test.last) {
			t.Errorf("at %s: last used %s, want %s", test.now, got, test.last)
		}
	}
	var none *View
	if !none.Since(noon).IsZero() || none.Last("default", web.Target, noon) != (Use{}) || !none.Seen("default", web.Target, noon).IsZero() {
		t.Error("a view of nothing knows something")
	}
}

// Nothing moves back: whatever is noted, looked at, joined, or set on the clock,
// the last use of an image that is there is never before one that was known.
func TestNothingMovesBack(t *testing.T) {
	keys := []Key{web, db, {"k8s.io", web.Target}}
	rapid.Check(t, func(t *rapid.T) {
		l := NewLog()
		newest := map[Key]time.Time{}
		times := rapid.Custom(func(t *rapid.T) time.Time {
			return noon.Add(time.Duration(rapid.Int64Range(-100, 100).Draw(t, "hours")) * time.Hour)
		})
		uses := func(l *Log) {
			when, who := times.Draw(t, "time"), rapid.SampledFrom(keys).Draw(t, "image")
			if rapid.Bool().Draw(t, "looks") {
				images := map[Key]string{}
				for _, k := range keys {
					images[k] = ""
				}
				images[who] = "container c"
				l.Merge(Look{At: when, Images: images})
			} else {
				l.Note(who, Use{when, "container d"})
			}
			newest[who] = later(newest[who], when)
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "joins") > 0 {
				uses(l)
			} else {
				other := NewLog()
				uses(other)
				l.Join(other)
			}
			v := l.View()
			for k, want := range newest {
				if got := v.Last(k.Namespace, k.Target, noon.Add(1000*time.Hour)).At; !got.Equal(want) {
					t.Fatalf("%v: last used %s, want %s", k, got, want)
				}
			}
		}
	})
}

// No use is missed by who asks for use within some time, whatever happens to the
// clocks and whoever watches when: an image that was really used within it is never
// one whose use is excluded. Gaps of more than [Bridged] are not watched.
func TestUseIsNeverExcludedWrongly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLog()
		var real, skew, booted, suspended time.Duration
		boot := 0
		moment := func() Moment {
			return Moment{noon.Add(real + skew), fmt.Sprint("boot", boot), real - booted, real - booted - suspended}
		}
		set := func() { skew += time.Duration(rapid.Int64Range(-3000, 3000).Draw(t, "skew")) * time.Minute }
		used := time.Duration(-1) // really
		within := time.Duration(rapid.Int64Range(1, 200).Draw(t, "within")) * time.Hour
		l.Watched(moment())
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0: // a gap, in which the image may be used and leave no trace
				gap := time.Duration(rapid.Int64Range(11, 3000).Draw(t, "gap")) * time.Minute
				if rapid.Bool().Draw(t, "used in it") {
					used = real + gap/2
				}
				real += gap
				if rapid.Bool().Draw(t, "with a boot") {
					boot, booted, suspended = boot+1, real, 0
				} else {
					set()
				}
			case 1: // somebody sets the clock
				set()
			case 2: // nobody can use anything
				slept := time.Duration(rapid.Int64Range(11, 3000).Draw(t, "slept")) * time.Minute
				real, suspended = real+slept, suspended+slept
			case 3:
				used = real
				l.Note(web, Use{moment().Wall, "container c"})
			default: // watched for hours
				for range rapid.IntRange(1, 60).Draw(t, "watched") {
					real += 5 * time.Minute
					l.Watched(moment())
				}
			}
			l.Watched(moment())
			now := moment().Wall
			limit := now.Add(-within)
			since, last := l.View().Since(now), l.View().Last(web.Namespace, web.Target, now).At
			excluded := !since.IsZero() && !since.After(limit) && !last.After(limit)
			if excluded && used >= 0 && real-used < within-Bridged {
				t.Fatalf("used %s ago, and use within %s is excluded: watched since %s, last %s, now %s", real-used, within, since, last, now)
			}
		}
	})
}
