package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestPhantoms(t *testing.T) {
	dangling := "overlayfs@" + digest.FromString("a").String()
	for name, test := range map[string]struct {
		records map[string]string // name to image
		shown   []store.CRIImage
		going   []string
		want    []string
	}{
		"full names": {
			records: map[string]string{"docker.io/library/app:1": "a", tw.CRIID("a"): "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"docker.io/library/app:1", tw.CRIID("a")},
		},
		"a bare name": {
			records: map[string]string{"app:1": "a", tw.CRIID("a"): "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"app:1", tw.CRIID("a")},
			want:    []string{"docker.io/library/app:1"},
		},
		"a bare name beside its full one": {
			records: map[string]string{"app:1": "a", "docker.io/library/app:1": "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"app:1", "docker.io/library/app:1"},
		},
		"a name without tag, which CRI has but does not show": {
			records: map[string]string{"app": "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: nil}},
			going:   []string{"app"},
			want:    []string{"docker.io/library/app"},
		},
		"a dangling name": {
			records: map[string]string{dangling: "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/" + dangling}}},
			going:   []string{dangling},
			want:    []string{"docker.io/library/" + dangling},
		},
		"a name that CRI cannot spell otherwise": {
			records: map[string]string{"<none>@x": "a"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: nil}},
			going:   []string{"<none>@x"},
		},
		"a bare name that moved away": {
			records: map[string]string{tw.CRIID("a"): "a", "app:1": "b", tw.CRIID("b"): "b"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/app:1"}}, {ID: tw.CRIID("b"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{tw.CRIID("a")},
			want:    []string{"docker.io/library/app:1"},
		},
		"an image that stays": {
			records: map[string]string{"app:1": "a", "other:1": "b"},
			shown:   []store.CRIImage{{ID: tw.CRIID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"other:1"},
		},
		"an image that CRI never had": {
			records: map[string]string{"app:1": "a"},
			going:   []string{"app:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns := tw.CRISpace(test.records)
			var records []rules.Decision
			for _, name := range test.going {
				target := ocispec.Descriptor{Digest: digest.FromString(test.records[name])}
				records = append(records, rules.Decision{Name: name, Target: target})
			}
			var got []string
			for _, p := range run.Phantoms(ns, gc.Release{Major: 2, Minor: 4}, test.shown, records) {
				got = append(got, p.Ref)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("phantoms (-want +got):\n%s", diff)
			}
		})
	}
}

// unresponsiveCRI is a CRI that never takes note of anything.
type unresponsiveCRI struct{ store.CRI }

func (unresponsiveCRI) Image(context.Context, string) (store.CRIImage, bool, error) {
	return store.CRIImage{}, false, nil
}

func TestCRIThatTakesNoNoteIsNotAwaitedForever(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := run.AwaitCRI(ctx, unresponsiveCRI{}, "ctr-prune.invalid/probe:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// criStore is a store whose containerd has a CRI.
type criStore struct {
	*tw.Tape
	asked store.CRI
}

func (s criStore) Abilities() store.Abilities { return store.Abilities{CRI: s.asked} }

// bareNames are images that CRI shows by other names than their records have,
// and what it shows.
func bareNames(n int) (w tw.World, shown shownImages) {
	var things []tw.Thing
	for i := range n {
		manifest, config := fmt.Sprint("manifest ", i), fmt.Sprint("config ", i)
		things = append(things, tw.Blob(manifest, tw.RefContent(config, ".config")), tw.Blob(config), tw.Record(fmt.Sprintf("app:%d", i), manifest))
		shown.images = append(shown.images, store.CRIImage{ID: tw.Digest(config).String(), Refs: []string{fmt.Sprintf("docker.io/library/app:%d", i)}})
	}
	return tw.World{store.CRINamespace: things}, shown
}

// shownImages is a CRI that shows these images whatever happens, and takes note
// of no record.
type shownImages struct {
	store.CRI
	images []store.CRIImage
}

func (s shownImages) Images(context.Context) ([]store.CRIImage, error) { return s.images, nil }

func (s shownImages) Pins(context.Context) (store.CRIPins, error) { return nil, nil }

func (s shownImages) Image(context.Context, string) (store.CRIImage, bool, error) {
	return store.CRIImage{}, false, nil
}

// attentive takes note of every record, after a while.
type attentive struct {
	shownImages
	after time.Duration
}

func (s attentive) Image(context.Context, string) (store.CRIImage, bool, error) {
	time.Sleep(s.after)
	return store.CRIImage{}, true, nil
}

// probes counts the records that were made for CRI to see.
func probes(t *tw.Tape) (n int) {
	for _, call := range t.Calls {
		if strings.HasPrefix(call, "create ctr-prune.invalid/") {
			n++
		}
	}
	return n
}

// A CRI that takes no note is asked once: the images stay, and the run failed.
func TestCRIThatTakesNoNoteFailsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, shown := bareNames(5)
		s := tw.NewScene(t, w)
		began := time.Now()
		report, err := run.Execute(t.Context(), s.Plan(proc.Procfs{}), criStore{s.Tape, shown}, run.ExecuteOptions{Now: time.Now})
		if err == nil || len(report.Errors) != 1 || !strings.Contains(report.Errors[0].Reason, "did not notice") {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != store.CRITimeout || probes(s.Tape) != 1 {
			t.Errorf("%d probes in %s", probes(s.Tape), took)
		}
		if len(report.Skipped) != 5 || len(report.Untagged) != 0 || report.Untried != 0 {
			t.Errorf("skipped %+v, untagged %+v, untried %d", report.Skipped, report.Untagged, report.Untried)
		}
	})
}

// Probing takes time, and ends where deleting has to: before the run lease
// does, or when the run is interrupted.
func TestProbingEndsWithDeleting(t *testing.T) {
	const n = 5
	for name, interrupted := range map[string]bool{"the lease ends": false, "interrupted": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, shown := bareNames(n)
				s := tw.NewScene(t, w)
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				store := criStore{s.Tape, attentive{shown, 2 * time.Second}}
				opts := run.ExecuteOptions{Now: time.Now, LeaseTTL: 4 * time.Second} // a quarter is for the end
				if interrupted {
					opts.LeaseTTL = time.Hour
					time.AfterFunc(3*time.Second, interrupt)
				}
				report, err := run.Execute(ctx, s.Plan(proc.Procfs{}), store, opts)
				if probes(s.Tape) != 2 || report.Untried != n || len(report.Skipped) != 0 || report.Interrupted != interrupted || (err == nil) != interrupted {
					t.Errorf("%d probes, untried %d, skipped %+v, interrupted %v, %v", probes(s.Tape), report.Untried, report.Skipped, report.Interrupted, err)
				}
			})
		})
	}
}
