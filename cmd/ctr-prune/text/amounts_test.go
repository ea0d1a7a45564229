package text

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

func TestSizesShowBothParts(t *testing.T) {
	got := Sizes(prune.Amount{ContentBytes: 12_300_000, SnapshotBytes: 33_300_000, TotalBytes: 45_600_000})
	if want := "45.6MB (content 12.3MB, snapshots 33.3MB)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
