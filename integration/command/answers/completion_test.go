package answers_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// completed asks as the shells' scripts do and returns what they would offer.
func completed(tb testing.TB, args ...string) (offered []string) {
	tb.Helper()
	out, err := exec.Command(binary, append([]string{"__complete"}, args...)...).Output()
	if err != nil {
		tb.Fatalf("completing %q: %v", args, err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != ':' {
			value, _, _ := strings.Cut(line, "\t")
			offered = append(offered, value)
		}
	}
	return offered
}

// What is offered comes from the store: images in the way that they were begun
// to be typed, containers, namespaces, runs and filters.
func TestCompletion(t *testing.T) {
	everywhere(t, func(n *node) {
		run := n.graced()
		store := n.where()
		for _, c := range []struct {
			typed []string
			want  string
		}{
			{[]string{"explain", "us"}, "used:1"},
			{[]string{"explain", "docker.io/library/us"}, "docker.io/library/used:1"},
			{[]string{"explain", "library/us"}, ""},
			{[]string{"explain", "no-such"}, ""},
			{[]string{"explain", `us"|x`}, ""},
			{[]string{"explain", "u.ed"}, ""},
			{[]string{"explain", "used:1", ""}, ""},
			{[]string{"--filter", "reference=us"}, "reference=used:1"},
			{[]string{"--filter", "reference!=us"}, "reference!=used:1"},
			{[]string{"--filter", "dang"}, "dangling= until= label= label!= reference= reference!="},
			{[]string{"--filter", "dangling="}, "dangling=true dangling=false"},
			{[]string{"--namespace", ""}, "default other"},
			{[]string{"undo", ""}, run.Name},
			{[]string{"runs", "drop", ""}, run.Name},
			{[]string{"--until", ""}, "24h 72h 1w 2w 4w"},
		} {
			at := len(c.typed) - 1
			if strings.HasPrefix(c.typed[max(0, at-1)], "--") {
				at-- // a flag and its value stay together
			}
			args := append(append(append([]string{}, c.typed[:at]...), store...), c.typed[at:]...)
			if diff := cmp.Diff(strings.Fields(c.want), completed(t, args...), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("completing %q (-want +got):\n%s", c.typed, diff)
			}
		}
	})
}
