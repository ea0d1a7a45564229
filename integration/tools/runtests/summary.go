package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// testID names a test, or a package if test is empty.
type testID struct{ pkg, test string }

func (id testID) String() string { return strings.TrimSpace(id.pkg + " " + id.test) }

// summary is what several runs of go test came to.
type summary struct {
	out            io.Writer
	said           map[testID][]string
	passed, failed int
	failures       []testID
	skipped        map[string][]testID
	errs           []error
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, said: make(map[testID][]string), skipped: make(map[string][]testID)}
}

// fail notes what went wrong beside tests.
func (s *summary) fail(err error) {
	if err != nil {
		s.errs = append(s.errs, err)
		fmt.Fprintln(s.out, err)
	}
}

// print writes the closing lines and says whether all is well.
func (s *summary) print(took time.Duration) bool {
	fmt.Fprintln(s.out, "== summary")
	skips := 0
	for _, why := range slices.Sorted(maps.Keys(s.skipped)) {
		skips += len(s.skipped[why])
		fmt.Fprintf(s.out, "not run: %s\n", why)
		for _, id := range s.skipped[why] {
			fmt.Fprintf(s.out, "    %s\n", id)
		}
	}
	for _, id := range s.failures {
		fmt.Fprintf(s.out, "failed: %s\n", id)
	}
	for _, err := range s.errs {
		fmt.Fprintf(s.out, "failed: %v\n", err)
	}
	ok := s.failed == 0 && len(s.errs) == 0
	word := "PASS"
	if !ok {
		word = "FAIL"
	}
	fmt.Fprintf(s.out, "%s: %d tests passed, %d failed, %d not run, in %s\n",
		word, s.passed, s.failed, skips, took.Round(time.Second))
	return ok
}
