package filters

import (
	"strings"
	"testing"
	"time"
)

func TestParseCutoff(t *testing.T) {
	for in, want := range map[string]string{
		"72h":                            "2026-11-18T10:00:00Z",
		"1d12h":                          "2026-11-19T22:00:00Z",
		"0s":                             "2026-11-21T10:00:00Z",
		"2026-01-31":                     "2026-01-30T22:00:00Z", // midnight where now is
		"2026-01-31T15:04":               "2026-01-31T13:04:00Z",
		"2026-01-31T15:04:05":            "2026-01-31T13:04:05Z",
		"2026-01-31T15:04:05.25":         "2026-01-31T13:04:05.25Z",
		"2026-01-31T15:04Z":              "2026-01-31T15:04:00Z",
		"2026-01-31T15:04-05:00":         "2026-01-31T20:04:00Z",
		"2026-01-31T15:04:05Z":           "2026-01-31T15:04:05Z",
		"2026-01-31T15:04:05.000000001Z": "2026-01-31T15:04:05.000000001Z",
		"2026-01-31T15:04:05+02:00":      "2026-01-31T13:04:05Z",
		"1970-01-01T00:00:00Z":           "1970-01-01T00:00:00Z",
		"100000000":                      "1973-03-03T09:46:40Z",
		"1767225600":                     "2026-01-01T00:00:00Z",
		"1767225600.5":                   "2026-01-01T00:00:00.5Z",
		"1767225600.1234567899":          "2026-01-01T00:00:00.123456789Z",
		"01767225600":                    "2026-01-01T00:00:00Z",
		"1795255200":                     "2026-11-21T10:00:00Z",
		"2026-11-21T12:00:00":            "2026-11-21T10:00:00Z",
		"2024-02-29":                     "2024-02-28T22:00:00Z",
	} {
		got, err := ParseCutoff(in, now)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("ParseCutoff(%q) = %v, %v; want %v", in, got.UTC(), err, want)
		}
	}
}

func TestParseCutoffErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                          `"" is neither an age nor a time: type an age such as 72h, 3d, 2w or 1d12h, a date such as 2026-01-31, an RFC 3339 time, or a Unix time of at least 9 digits`,
		"tomorrow":                  `"tomorrow" is neither an age nor a time`,
		" 72h":                      `is neither an age nor a time`,
		"now-3h":                    `is neither an age nor a time`,
		strings.Repeat("7", 65):     `is neither an age nor a time`,
		"\x1b]0;x\a":                `"\x1b]0;x\a" is neither`,
		"72":                        `"72" has no unit: type 72h for hours, 72d for days or 72w for weeks (a Unix time has at least 9 digits)`,
		"20260131":                  `"20260131" has no unit`,
		"-3h":                       `"-3h" is negative`,
		"-1767225600":               `"-1767225600" is negative`,
		"-2026-01-31":               `"-2026-01-31" is negative`,
		"3x":                        `"3x" has an unknown unit "x"`,
		"999999w":                   `is too long an age`,
		"2026-13-01":                `"2026-13-01" is not a date or time that exists: type it as 2026-01-31, 2026-01-31T15:04`,
		"2026-02-29":                `is not a date or time that exists`,
		"2026-1-31":                 `is not a date or time that exists`,
		"2026-01-31 15:04":          `is not a date or time that exists`,
		"2026-01-31T25:00:00Z":      `is not a date or time that exists`,
		"2026-01-31T15:04:05+99:00": `is not a date or time that exists`,
		"2026-":                     `is not a date or time that exists`,
		"1969-12-31T23:59:59Z":      `is out of range: type a time between 1970 and 9999`,
		"0001-01-01T00:00:00Z":      `is out of range`,
		"9999-12-31T23:59:59-01:00": `is out of range`,
		"1767225600000":             `"1767225600000" as a Unix time is in the future: type whole seconds such as 1767225600`,
		"2028-02-29T00:00:00Z":      `"2028-02-29T00:00:00Z" is in the future: everything is older than that; type a time that is past, or an age such as 72h`,
		"2026-11-21T12:00:01":       `is in the future`,
		"2026-11-22":                `is in the future`,
		"9999-12-31T23:59:59Z":      `is in the future`,
		"1795255201":                `as a Unix time is in the future`,
		"2026013115":                `as a Unix time is in the future`,
		"99999999999999999999":      `as a Unix time is in the future`,
		"1767225600.":               `is not an age`,
		"1767225600.5.5":            `ends without a unit`,
		"1767225600x":               `has an unknown unit "x"`,
	} {
		got, err := ParseCutoff(in, now)
		checkUsage(t, err, want)
		if !got.IsZero() {
			t.Errorf("ParseCutoff(%q) = %v beside its error", in, got)
		}
	}
}

func TestUntil(t *testing.T) {
	for _, c := range []struct {
		until  string
		born   time.Time
		reason string
	}{
		{"72h", now.Add(-2 * time.Hour), "younger than 72h (2h old)"},
		{"3d", now.Add(-2 * time.Hour), "younger than 72h (2h old)"},
		{"2w", now.Add(-3*day - time.Hour), "younger than 14d (3d old)"},
		{"72h", now.Add(-72*time.Hour + 1), "younger than 72h (2d old)"},
		{"72h", now.Add(-72 * time.Hour), ""},
		{"72h", now.Add(-73 * time.Hour), ""},
		{"72h", time.Unix(0, 0), ""},
		{"72h", time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), ""},
		{"0s", now, ""},
		{"0s", now.Add(1), "filter until=0s: its time 2026-11-21T10:00:00Z is in the future"},
		{"72h", time.Time{}, "filter until=72h: its age cannot be read"},
		{"72h", now.Add(week), "filter until=72h: its time 2026-11-28T10:00:00Z is in the future"},
		{"2026-11-20T00:00:00Z", now, "newer than 2026-11-20T00:00:00Z (0s old)"},
		{"2026-11-18", now.Add(-day), "newer than 2026-11-17T22:00:00Z (24h old)"},
		{"2026-11-20T00:00:00Z", time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), ""},
		{"2026-11-21", now.Add(day), "filter until=2026-11-20T22:00:00Z: its time 2026-11-22T10:00:00Z is in the future"},
		{"2026-11-21", time.Time{}, "filter until=2026-11-20T22:00:00Z: its age cannot be read"},
	} {
		for _, opts := range []Options{{Until: []string{c.until}}, {Filters: []string{"until=" + c.until}}} {
			set, err := Parse(opts, now)
			if err != nil {
				t.Fatal(err)
			}
			checkVerdict(t, set.Match(Subject{Dangling: true, Born: c.born}, now), c.reason)
		}
	}
}

func TestUntilAllHold(t *testing.T) {
	set, err := Parse(Options{Until: []string{"1h", "2026-11-20T10:00:00Z"}, Filters: []string{"until=3h"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	for age, reason := range map[time.Duration]string{
		30 * time.Minute: "younger than 1h (30m old)",
		2 * time.Hour:    "newer than 2026-11-20T10:00:00Z (2h old)",
		24 * time.Hour:   "",
	} {
		checkVerdict(t, set.Match(Subject{Dangling: true, Born: now.Add(-age)}, now), reason)
	}
}

// An age counts back from the time of the match, a moment does not move.
func TestUntilLater(t *testing.T) {
	sub := Subject{Dangling: true, Born: now.Add(-time.Hour)}
	later := now.Add(2 * time.Hour)
	checkVerdict(t, mustParse(t, "until=2h").Match(sub, later), "")
	checkVerdict(t, mustParse(t, "until=2026-11-21T08:00:00Z").Match(sub, later), "newer than 2026-11-21T08:00:00Z (3h old)")
}
