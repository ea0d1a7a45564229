package prune

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// criStore is a store whose containerd has a CRI.
type criStore struct {
	*tape
	asked store.CRI
}

func (s criStore) Abilities() store.Abilities { return store.Abilities{CRI: s.asked} }

// bareNames are images that CRI shows by other names than their records have,
// and what it shows.
func bareNames(n int) (w world, shown shownImages) {
	var things []thing
	for i := range n {
		manifest, config := fmt.Sprint("manifest ", i), fmt.Sprint("config ", i)
		things = append(things, blob(manifest, refContent(config, ".config")), blob(config), record(fmt.Sprintf("app:%d", i), manifest))
		shown.images = append(shown.images, store.CRIImage{ID: dig(config).String(), Refs: []string{fmt.Sprintf("docker.io/library/app:%d", i)}})
	}
	return world{store.CRINamespace: things}, shown
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
func (t *tape) probes() (n int) {
	for _, call := range t.calls {
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
		s := newScene(t, w)
		began := time.Now()
		report, err := run.Execute(t.Context(), s.plan(leases.Procfs{}), criStore{s.tape, shown}, run.ExecuteOptions{Now: time.Now})
		if err == nil || len(report.Errors) != 1 || !strings.Contains(report.Errors[0], "took no note") {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != store.CRITimeout || s.tape.probes() != 1 {
			t.Errorf("%d probes in %s", s.tape.probes(), took)
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
				s := newScene(t, w)
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				store := criStore{s.tape, attentive{shown, 2 * time.Second}}
				opts := run.ExecuteOptions{Now: time.Now, LeaseTTL: 4 * time.Second} // a quarter is for the end
				if interrupted {
					opts.LeaseTTL = time.Hour
					time.AfterFunc(3*time.Second, interrupt)
				}
				report, err := run.Execute(ctx, s.plan(leases.Procfs{}), store, opts)
				if s.tape.probes() != 2 || report.Untried != n || len(report.Skipped) != 0 || report.Interrupted != interrupted || (err == nil) != interrupted {
					t.Errorf("%d probes, untried %d, skipped %+v, interrupted %v, %v", s.tape.probes(), report.Untried, report.Skipped, report.Interrupted, err)
				}
			})
		})
	}
}
