package read_test

import (
	"fmt"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/read"
)

// An answer that containerd may not send is told with what helps.
func TestTooLarge(t *testing.T) {
	refused := fmt.Errorf("in whatever words: %w", errdefs.ErrResourceExhausted)
	if err := read.TooLarge(refused); !errdefs.IsResourceExhausted(err) || err.Error() == refused.Error() {
		t.Errorf("got %v", err)
	}
	for _, other := range []error{nil, errdefs.ErrUnavailable} {
		if err := read.TooLarge(other); err != other { //nolint:errorlint // the very same
			t.Errorf("%v became %v", other, err)
		}
	}
}
