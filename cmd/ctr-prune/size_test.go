package main

import (
	"math"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

func TestHumanSizeIsThatOfDocker(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		want  string
	}{
		{0, "0B"},
		{999, "999B"},
		{1000, "1kB"},
		{1024, "1.024kB"},
		{12_345_678, "12.35MB"},
		{1_500_000_000, "1.5GB"},
		{math.MaxInt64, "9.223EB"},
	} {
		if got := humanSize(c.bytes); got != c.want {
			t.Errorf("humanSize(%d) = %s, want %s", c.bytes, got, c.want)
		}
	}
}

func TestSizesShowBothParts(t *testing.T) {
	got := sizes(prune.Amount{ContentBytes: 12_300_000, SnapshotBytes: 33_300_000, TotalBytes: 45_600_000})
	if want := "45.6MB (content 12.3MB, snapshots 33.3MB)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
