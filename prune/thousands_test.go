package prune

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/leases"
)

// More records than one plan blob may name go in one run, and come back in one.
func TestExecuteOfThousands(t *testing.T) {
	w := small()
	for i := range leases.MaxTargets {
		w["default"] = append(w["default"], record(fmt.Sprintf("many:%d", i), string("ab"[i%2])))
	}
	s := newScene(t, w)
	s.tape.Store = s.store
	writes := 0
	s.tape.before = func(call string) error {
		if call == "write" {
			writes++
		}
		if call == "free ctr-prune and collect" {
			return errDown
		}
		return nil
	}
	if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDown) || writes != 2 || len(s.records()) != 0 {
		t.Fatalf("%v after %d plan blobs, %d records left", err, writes, len(s.records()))
	}
	s.tape.before = nil
	s.add(container("c", "many:3999", ""), container("d", "many:0", ""))
	if report := s.recover(); len(report.Recovered[0].Untagged) != leases.MaxTargets || len(report.Recovered[0].Restored) != 2 {
		t.Errorf("%d stay away, %d are back", len(report.Recovered[0].Untagged), len(report.Recovered[0].Restored))
	}
	checkRecordNames(t, s, "many:0", "many:3999")
}
