package filters

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// now is the clock of the tests: a Saturday noon, two hours east of UTC.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", 2*60*60))

// checkUsage fails unless err is an Error that contains want and can be printed.
func checkUsage(t *testing.T, err error, want string) {
	t.Helper()
	var usage *Error
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v\n        want %s", err, want)
		return
	}
	if usage.What == "" || usage.Instead == "" {
		t.Errorf("error %q does not say both what is wrong and what to type", err)
	}
	checkPrintable(t, err.Error())
}

// checkPrintable fails if s could disturb a terminal.
func checkPrintable(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		t.Errorf("%q is not fit to print", s)
	}
	if len(s) > 2000 {
		t.Errorf("a message of %d bytes", len(s))
	}
}

// mustParse returns the Set of some --filter values.
func mustParse(t *testing.T, filters ...string) Set {
	t.Helper()
	set, err := Parse(Options{Filters: filters}, now)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// checkVerdict compares a verdict with the wanted reason; "" wants a match.
func checkVerdict(t *testing.T, got Verdict, reason string) {
	t.Helper()
	if got.Match != (reason == "") || got.Match != (got.Code == "") || got.Reason() != reason {
		t.Errorf("got  %+v, %s\nwant {Match:%v} %s", got, got.Reason(), reason == "", reason)
	}
	checkPrintable(t, got.Reason())
}
