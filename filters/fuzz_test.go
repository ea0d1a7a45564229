package filters

import (
	"errors"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The seeds are in testdata/fuzz. To look for more:
// go test -fuzz FuzzParseAge ./filters

// fuzzError fails unless err is a usage error that can be printed.
func fuzzError(t *testing.T, err error) {
	t.Helper()
	var usage *Error
	if !errors.As(err, &usage) {
		t.Fatalf("%v is not a usage error", err)
	}
	checkPrintable(t, err.Error())
}

func FuzzParseAge(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		age, err := ParseAge(s)
		if err != nil {
			fuzzError(t, err)
			return
		}
		if age < 0 {
			t.Fatalf("%q is the negative age %v", s, age)
		}
		if last := s[len(s)-1]; strings.IndexByte("wdhms", last) < 0 {
			t.Errorf("%q was accepted without a unit", s)
		}
		if back, err := ParseAge(formatAge(age)); err != nil || back != age {
			t.Errorf("%q is %d, written %s, read back %d (%v)", s, age, formatAge(age), back, err)
		}
		// Where the standard library understands s too, it agrees, but for
		// the last nanosecond of a fraction.
		if std, err := time.ParseDuration(s); err == nil {
			terms := time.Duration(strings.Count(s, "."))
			if diff := (std - age).Abs(); diff > terms {
				t.Errorf("%q is %v, should be %v", s, age, std)
			}
		}
	})
}

func FuzzParseCutoff(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseCutoff(s, now)
		if err != nil {
			fuzzError(t, err)
			return
		}
		c, err := parseCutoff(s, now)
		if err != nil {
			t.Fatal(err)
		}
		if !c.fixed && at.After(now) {
			t.Errorf("the age %q is the future time %v", s, at)
		}
		if c.fixed && (at.Unix() < 0 || at.Year() > 9999) {
			t.Errorf("%q is the time %v", s, at)
		}
		if back, err := ParseCutoff(c.String(), now); err != nil || !back.Equal(at) {
			t.Errorf("%q is %v, written %s, read back %v (%v)", s, at, c, back, err)
		}
		for _, born := range []time.Time{{}, at.Add(1), now.Add(1)} {
			if c.objection(born, now).Code == "" {
				t.Errorf("until=%q lets go what was born %v", s, born)
			}
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	f.Fuzz(func(t *testing.T, typed, name, key, value string) {
		set, err := Parse(Options{Filters: []string{typed}}, now)
		if err != nil {
			fuzzError(t, err)
			return
		}
		checkRoundTrip(t, set)
		subjects := []Subject{
			{Names: []string{name}, Born: now.Add(-day), Labels: []map[string]string{{key: value}}},
			{Names: []string{name}, Dangling: true, Born: now.Add(-day), Labels: []map[string]string{{key: value}}},
			{Dangling: true, LabelsErr: value},
			{Dangling: true},
		}
		for _, sub := range subjects {
			got, guarded := set.Match(sub, now), set.MatchProtective(sub, now)
			if got.Match != (got.Reason() == "") || guarded.Match != (guarded.Reason() == "") {
				t.Errorf("a verdict without a reason, or a match with one: %+v, %+v", got, guarded)
			}
			if got.Match && !guarded.Match {
				t.Errorf("%q lets %+v go, but its protective part does not: %s", typed, sub, guarded.Reason())
			}
			if set.DanglingOnly() && !sub.Dangling && got.Match {
				t.Errorf("%q lets go what is not dangling", typed)
			}
			checkPrintable(t, got.Reason())
			checkPrintable(t, guarded.Reason())
		}
		if diff := cmp.Diff(Set{}.Strings(), mustParse(t).Strings()); diff != "" {
			t.Errorf("a parse changed the default: %s", diff)
		}
	})
}

func FuzzReference(f *testing.F) {
	f.Fuzz(func(t *testing.T, glob, name string) {
		choose, err := parsePattern(glob, glob, false)
		if err != nil {
			fuzzError(t, err)
			return
		}
		if !utf8.ValidString(glob) {
			return // Parse has refused it before
		}
		forms, id := formsOf(name)
		for _, form := range forms {
			// What parsePattern accepted must be judgeable for every name.
			matched := false
			for _, alternative := range alternatives(glob) {
				ok, err := path.Match(alternative, form)
				if err != nil {
					t.Fatalf("pattern %q was accepted, but fails on %q", glob, form)
				}
				matched = matched || ok
			}
			if matched && id == "" && !choose.matches(name) {
				t.Errorf("pattern %q matches the form %q of %q, but not the name", glob, form, name)
			}
		}
		protect := choose
		protect.not = true
		if choose.matches(name) && !protect.matches(name) {
			t.Errorf("reference=%q chooses %q, but reference!= does not protect it", glob, name)
		}
		checkPrintable(t, choose.objection([]string{name}).Reason())
		checkPrintable(t, protect.objection([]string{name}).Reason())
	})
}

func FuzzParseSize(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			fuzzError(t, err)
			return
		}
		if n < 0 {
			t.Errorf("%q is the negative size %d", s, n)
		}
		if s[len(s)-1] >= '0' && s[len(s)-1] <= '9' {
			t.Errorf("%q was accepted without a unit", s)
		}
	})
}
