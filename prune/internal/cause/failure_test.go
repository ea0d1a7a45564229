package cause

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFailures(t *testing.T) {
	a, b := errors.New("a"), &CodeError{Code: "own", Err: errors.New("b")}
	both := fmt.Errorf("%w: %w", a, b)
	got := Failures("general", errors.Join(a, errors.Join(b, both), nil))
	want := []Cause{{Reason: "a", ReasonCode: "general"}, {Reason: "b", ReasonCode: "own"}, {Reason: "a: b", ReasonCode: "own"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none := Failures("general", nil); len(none) > 0 {
		t.Errorf("no error is %+v", none)
	}
}
