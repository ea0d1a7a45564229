package answers_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// completed asks as the shells' scripts do and returns what they would offer.
func completed(tb testing.TB, args ...string) (values []string) {
	tb.Helper()
	out, err := exec.Command(binary, append([]string{"__complete"}, args...)...).Output()
	if err != nil {
		tb.Fatalf("completing %q: %v", args, err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != ':' {
			value, _, _ := strings.Cut(line, "\t")
			values = append(values, value)
		}
	}
	return values
}

// offered is what a shell would offer in the end: completion offers nothing
// where the store does not answer at once, which one on a busy machine may not do,
// so what should offer something is asked more than once.
func offered(tb testing.TB, want []string, args ...string) (got []string) {
	tb.Helper()
	for range 100 {
		if got = completed(tb, args...); len(got) > 0 || len(want) == 0 {
			return got
		}
	}
	return got
}

// What is offered comes from the store: images in the way that they were begun
// to be typed, containers, namespaces, runs and filters.
func TestCompletion(t *testing.T) {
	everywhere(t, func(n *node) {
		run := n.graced()
		store := n.where()
		const keys, bools, ages = "dangling= until= before= since= id= label= label!= reference= reference!=", "dangling=true dangling=false", "24h 72h 1w 2w 4w"
		fixed := []string{keys, bools, ages}
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
			{[]string{"--filter", "dang"}, keys},
			{[]string{"--filter", "dangling="}, bools},
			{[]string{"--namespace", ""}, "default other"},
			{[]string{"undo", ""}, run.Name},
			{[]string{"runs", "drop", ""}, run.Name},
			{[]string{"--until", ""}, ages},
		} {
			if n.stopped && !slices.Contains(fixed, c.want) {
				c.want = "" // nothing is read of the files of a stopped containerd
			}
			at := len(c.typed) - 1
			if strings.HasPrefix(c.typed[max(0, at-1)], "--") {
				at-- // a flag and its value stay together
			}
			args := append(append(append([]string{}, c.typed[:at]...), store...), c.typed[at:]...)
			want := strings.Fields(c.want)
			if diff := cmp.Diff(want, offered(t, want, args...), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("completing %q (-want +got):\n%s", c.typed, diff)
			}
		}
	})
}
