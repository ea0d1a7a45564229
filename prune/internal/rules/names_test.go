package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// A name with a tag is known best; what stands for no name comes last.
func TestCompareNames(t *testing.T) {
	sum := "sha256:" + strings.Repeat("a", 64)
	want := []string{
		"docker.io/library/app:1", "registry.example:5000/app:2",
		"docker.io/library/app@" + sum,
		sum,
		"", ":" + sum, "<none>@" + sum, "import-2026-03-01@" + sum, "moby-dangling@" + sum, "overlayfs@" + sum,
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, rules.CompareNames)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
