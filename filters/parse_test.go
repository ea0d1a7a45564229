package filters

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStrings(t *testing.T) {
	for _, c := range []struct {
		opts Options
		want []string
	}{
		{Options{}, []string{"dangling=true"}},
		{Options{All: true}, []string{"dangling=false"}},
		{Options{Filters: []string{"dangling=1"}}, []string{"dangling=true"}},
		{Options{Filters: []string{"dangling=F"}}, []string{"dangling=false"}},
		{Options{All: true, Filters: []string{"dangling=false"}}, []string{"dangling=false"}},
		{Options{Filters: []string{"dangling=true", "dangling=T"}}, []string{"dangling=true"}},
		{
			Options{Until: []string{"3d", "72h", "2026-01-31"}, Filters: []string{"until=72h"}},
			[]string{"dangling=true", "until=2026-01-30T22:00:00Z", "until=72h"},
		},
		{
			Options{Filters: []string{"reference!=b", "label=k", "reference=a=b", "label!=k=a=b", "label=k=", "reference=a=b"}},
			[]string{"dangling=true", "reference!=b", "reference=a=b", "label!=k=a=b", "label=k", "label=k="},
		},
		{Options{Filters: []string{"since=b", "id=b,a", "before=a,b", "id=b,a"}}, []string{"dangling=true", "before=a,b", "id=b,a", "since=b"}},
		{Options{Filters: []string{"label=a!", "label=a!=b"}}, []string{"dangling=true", "label=a!", "label=a!=b"}},
	} {
		set, err := Parse(c.opts, now)
		if err != nil {
			t.Errorf("%+v: %v", c.opts, err)
			continue
		}
		if diff := cmp.Diff(c.want, set.Strings()); diff != "" {
			t.Errorf("%+v: %s", c.opts, diff)
		}
		checkRoundTrip(t, set)
	}
}

// checkRoundTrip fails unless what a set says parses to an equal set, also
// at another time and place.
func checkRoundTrip(t *testing.T, set Set) {
	t.Helper()
	back, err := Parse(Options{Filters: set.Strings()}, now.AddDate(9, 0, 0).UTC())
	if err != nil {
		t.Errorf("%q does not parse: %v", set.Strings(), err)
		return
	}
	if diff := cmp.Diff(set, back, cmp.AllowUnexported(Set{}, cutoff{}, image{}, pattern{}, glob{}, label{})); diff != "" {
		t.Errorf("%q does not come back: %s", set.Strings(), diff)
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      `filter "" has no =: type KEY=VALUE; the filters are dangling=, until=, before=, since=, id=, label=, label!=, reference= and reference!=`,
		"dangling":                              `filter "dangling" has no =: type dangling=true or dangling=false`,
		"label!":                                `filter "label!" has no =: type label=KEY, label=KEY=VALUE, label!=KEY or label!=KEY=VALUE`,
		"nginx":                                 `filter "nginx" has no =: type KEY=VALUE`,
		"=x":                                    `filter "=x" has an unknown key: the filters are`,
		"!=x":                                   `has an unknown key`,
		"color=x":                               `filter "color=x" has an unknown key: the filters are`,
		"befor=x":                               `did you mean before=?`,
		"before!=x":                             `filter "before!=x" uses !=, which before does not have: type before=IMAGE`,
		"id=a,,b":                               `names an image that is empty or has white space around it: type id=IMAGE`,
		"id=a, b":                               `names an image that is empty or has white space around it`,
		"refrence=x":                            `filter "refrence=x" has an unknown key: did you mean reference=? the filters are`,
		"refrence!=x":                           `did you mean reference!=?`,
		"reference !=x":                         `did you mean reference!=?`,
		"label!!=x":                             `did you mean label!=?`,
		"ref=x":                                 `did you mean reference=?`,
		"Until=72h":                             `did you mean until=?`,
		"untill=72h":                            `did you mean until=?`,
		"util=72h":                              `did you mean until=?`,
		"until!!=72h":                           `did you mean until=?`,
		"labels=x":                              `did you mean label=?`,
		" dangling=true":                        `did you mean dangling=?`,
		"danglign=true":                         `did you mean dangling=?`,
		"dangling!=true":                        `filter "dangling!=true" uses !=, which dangling does not have: type dangling=true or dangling=false`,
		"until!=72h":                            `filter "until!=72h" uses !=, which until does not have: type until=72h`,
		"dangling=":                             `filter "dangling=" has no value: type dangling=true`,
		"until=":                                `has no value`,
		"label=":                                `has no value`,
		"label!=":                               `has no value`,
		"reference=":                            `has no value`,
		"reference!=":                           `filter "reference!=" has no value: type reference=PATTERN or reference!=PATTERN`,
		"dangling=yes":                          `filter dangling="yes" is neither true nor false: type dangling=true or dangling=false`,
		"dangling=tRUE":                         `is neither true nor false`,
		"dangling= true":                        `has white space around a value: type it without`,
		"label==x":                              `filter "label==x" has an empty label key: type label=KEY`,
		"label!==":                              `has an empty label key`,
		"label= k":                              `has white space around a value`,
		"label=k =v":                            `has white space around a value`,
		"label!=k= v":                           `has white space around a value`,
		"reference!=nginx ":                     `has white space around a value`,
		"reference=[":                           `filter "reference=[" is not a pattern: close every [, and write \[ or \\ for a plain [ or \`,
		"reference!=a[":                         `is not a pattern`,
		`reference=a\`:                          `is not a pattern`,
		"reference=a*[]b]":                      `is not a pattern`,
		"reference=x/*[z-":                      `is not a pattern`,
		"until=72":                              `filter until="72" has no unit: type 72h for hours, 72d for days or 72w for weeks (a Unix time has at least 9 digits)`,
		"until=-3h":                             `filter until="-3h" is negative`,
		"label=\xff":                            `filter "label=\xff" is not valid UTF-8`,
		"\x1b[2J\u202e=x":                       `filter "\x1b[2J\u202e=x" has an unknown key`,
		"reference=[\x1b\u202e":                 `"reference=[\x1b\u202e" is not a pattern`,
		"x" + strings.Repeat("\n", 20000) + "=": `has an unknown key`,
	} {
		set, err := Parse(Options{Filters: []string{"label=fine", in}}, now)
		checkUsage(t, err, want)
		if diff := cmp.Diff([]string{"dangling=true"}, set.Strings()); diff != "" {
			t.Errorf("%q gave a set beside its error: %s", in, diff)
		}
	}
}

func TestParseUntilFlagErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":     `until "" is neither an age nor a time: type`,
		"72":   `until "72" has no unit: type 72h for hours`,
		"-3h":  `until "-3h" is negative`,
		"\x1b": `until "\x1b" is neither`,
	} {
		_, err := Parse(Options{Until: []string{"72h", in}}, now)
		checkUsage(t, err, want)
	}
}

func TestContradictions(t *testing.T) {
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{All: true, Filters: []string{"dangling=1"}}, `filter "dangling=1" contradicts asking for all images: ask for all unused images, or for dangling ones only`},
		{Options{Filters: []string{"dangling=true", "dangling=0"}}, `filter "dangling=true" contradicts "dangling=0": type only one of them`},
		{Options{Filters: []string{"dangling=false", "dangling=true"}}, `contradicts`},
	} {
		_, err := Parse(c.opts, now)
		checkUsage(t, err, c.want)
	}
}

func TestBooleans(t *testing.T) {
	for _, c := range []struct {
		spellings string
		dangling  bool
	}{{"1 t T true True TRUE", true}, {"0 f F false False FALSE", false}} {
		for spelling := range strings.FieldsSeq(c.spellings) {
			if got := mustParse(t, "dangling="+spelling).DanglingOnly(); got != c.dangling {
				t.Errorf("dangling=%s: DanglingOnly() = %v", spelling, got)
			}
		}
	}
}

// Strings must hand out a copy, and Parse must not keep the caller's slices.
func TestSetIsImmutable(t *testing.T) {
	typed := []string{"label=b", "label=a"}
	set := mustParse(t, typed...)
	typed[0] = "label=x"
	set.Strings()[1] = "changed"
	set.MatchProtective(Subject{}, time.Time{})
	if diff := cmp.Diff([]string{"dangling=true", "label=a", "label=b"}, set.Strings()); diff != "" {
		t.Error(diff)
	}
}
