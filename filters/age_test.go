package filters

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"72h":           72 * time.Hour,
		"3d":            72 * time.Hour,
		"2w":            14 * day,
		"1d12h":         36 * time.Hour,
		"1w2d":          9 * day,
		"12h1d":         36 * time.Hour,
		"1.5h":          90 * time.Minute,
		"0.1w":          16*time.Hour + 48*time.Minute,
		"0.29h":         1044 * time.Second, // a hair less as a float
		"1.000000001s":  time.Second + 1,
		"90m":           90 * time.Minute,
		"30s":           30 * time.Second,
		"5ms":           5 * time.Millisecond,
		"7us":           7 * time.Microsecond,
		"7µs":           7 * time.Microsecond,
		"7μs":           7 * time.Microsecond,
		"9ns":           9,
		"0s":            0,
		"007d":          week,
		"106751d":       106751 * day,
		"9223372036s":   9223372036 * time.Second,
		"15250w":        15250 * week,
		"2562047h47m":   2562047*time.Hour + 47*time.Minute,
		"1h1h":          2 * time.Hour,
		"9223372036.8s": 9223372036*time.Second + 800*time.Millisecond,
	} {
		got, err := ParseAge(in)
		if err != nil || got != want {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestParseAgeErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                      `"" is empty: type an age such as 72h, 3d, 2w or 1d12h`,
		"72":                    `"72" has no unit: type 72h for hours, 72d for days or 72w for weeks`,
		"1.5":                   `"1.5" has no unit: type 1.5h for hours`,
		"123456789":             `"123456789" ends without a unit: type an age`,
		"1d12":                  `"1d12" ends without a unit`,
		"-3h":                   `"-3h" is negative: type an age such as 72h, 3d, 2w or 1d12h, without a minus sign`,
		"1d-3h":                 `"1d-3h" has an unknown unit "d-"`,
		"+3h":                   `"+3h" is not an age`,
		" 3h":                   `" 3h" is not an age`,
		"3h ":                   `"3h " has an unknown unit "h "`,
		"3 h":                   `"3 h" has an unknown unit " h"`,
		"3x":                    `"3x" has an unknown unit "x"`,
		"3H":                    `"3H" has an unknown unit "H"`,
		"1y":                    `has an unknown unit "y": type an age such as 72h, 3d, 2w or 1d12h, with units w, d, h, m and s`,
		"1mo":                   `unknown unit "mo"`,
		"1e3h":                  `unknown unit "e"`,
		"h":                     `"h" is not an age`,
		".5h":                   `".5h" is not an age`,
		"1.h":                   `"1.h" is not an age`,
		"1..5h":                 `"1..5h" is not an age`,
		"1h.":                   `"1h." is not an age`,
		"٣d":                    `"٣d" is not an age`,
		"3\x1b[2Jd":             `"3\x1b[2Jd" has an unknown unit "\x1b["`,
		"106752d":               `"106752d" is too long an age: type one below 292 years`,
		"213504d":               `is too long an age`, // wraps to a positive number
		"106751d24h":            `is too long an age`,
		"9223372036.9s":         `is too long an age`,
		"9223372036854775808ns": `is too long an age`,
		"99999999999999999999h": `is too long an age`,
		strings.Repeat("1", 65): `is too long to be an age`,
	} {
		got, err := ParseAge(in)
		checkUsage(t, err, want)
		if got != 0 {
			t.Errorf("ParseAge(%q) = %v beside its error", in, got)
		}
	}
}

func TestFormatAge(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0:                            "0s",
		1:                            "1ns",
		1500 * time.Microsecond:      "1.5ms",
		45 * time.Second:             "45s",
		10 * time.Minute:             "10m",
		90 * time.Minute:             "1h30m",
		time.Hour + time.Second:      "1h0m1s",
		36 * time.Hour:               "36h",
		72 * time.Hour:               "72h",
		4*day - time.Second:          "95h59m59s",
		4 * day:                      "4d",
		2 * week:                     "14d",
		10*day + 6*time.Hour:         "10d6h",
		10*day + 20*time.Minute:      "10d20m",
		10*day + 1:                   "10d1ns",
		time.Duration(math.MaxInt64): "106751d23h47m16.854775807s",
	} {
		if got := formatAge(age); got != want {
			t.Errorf("formatAge(%d) = %q, want %q", age, got, want)
		}
		if back, err := ParseAge(want); err != nil || back != age {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", want, back, err, age)
		}
	}
}

func TestRoughAge(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0:                     "0s",
		59 * time.Second:      "59s",
		time.Minute:           "1m",
		59*time.Minute + 59e9: "59m",
		2 * time.Hour:         "2h",
		2*day - 1:             "47h",
		3*day + 23*time.Hour:  "3d",
	} {
		if got := roughAge(age); got != want {
			t.Errorf("roughAge(%v) = %q, want %q", age, got, want)
		}
	}
}
