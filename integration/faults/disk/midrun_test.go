package disk

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A disk that is pulled out in the midst of a run loses nothing: put in again,
// the next run ends where an undisturbed one does.
func TestPulledDisk(t *testing.T) {
	each(t, func(b *bed) {
		chosen := moments
		if os.Getenv("SOAK") == "" {
			chosen = []string{moments[0], moments[2]}
		}
		for _, moment := range chosen {
			b.pulledAt(moment)
		}
	})
}

func (b *bed) pulledAt(moment string) {
	b.t.Helper()
	b.d.Up()
	store := b.d.Store("default")
	for _, name := range []string{"base", "by-digest", "gone1", "gone2", "gone3"} {
		b.must(store.Add(b.t.Context(), b.images[name]))
	}
	b.must(store.Collect(b.t.Context()), b.synced())
	before := b.d.Capture()
	b.stop()
	r := b.during(moment, func() { b.must(b.pull()) })
	if moment != string(prune.StageMeasure) { // then all is done, but for looking
		r.Want(b.t, programs.ExitFailed, "input/output error")
		if r := b.prune(); r.Code == programs.ExitDone {
			b.t.Errorf("%s: a run on a broken disk ends well:\n%s", moment, r.Stdout)
		}
	}
	b.d.Kill()
	b.remount()
	b.d.Up()
	if err := oracle.Check(before, b.d.Capture()); err != nil {
		b.t.Errorf("%s: harm:\n%v", moment, err)
	}
	b.stop()
	if r := b.prune(); r.Code != programs.ExitDone && !strings.Contains(r.Stderr, "is lost, so not all of it can be restored") {
		b.t.Errorf("%s: exit code %d\n%s", moment, r.Code, r.Stderr)
	}
	end := b.capture()
	if err := oracle.Check(before, end); err != nil {
		b.t.Errorf("%s: harm in the end:\n%v", moment, err)
	}
	if len(names(end)) != 2 {
		b.t.Errorf("%s: records left: %v", moment, names(end))
	}
	// The disk may bring back files whose removal was not on it yet.
	run(b.t, append([]string{"check", "--repair"}, b.where()...)...)
	b.removeForgotten()
	if r := run(b.t, append([]string{"check"}, b.where()...)...); r.Code != programs.ExitDone {
		b.t.Errorf("%s: check says\n%s%s", moment, r.Stdout, r.Stderr)
	}
}

// A disk that fills up while a run is under way keeps nothing from its end.
func TestDiskFillsMeanwhile(t *testing.T) {
	each(t, func(b *bed) {
		before := b.capture()
		b.stop()
		doc := b.during(moments[0], b.fill).Want(b.t, programs.ExitDone).Document(b.t)
		harmless(b.t, before, b.capture(), doc.Reclaimed.ContentBytes)
		if doc.Reclaimed.Blobs != 3*4+2 {
			b.t.Errorf("reclaimed %+v", doc.Reclaimed)
		}
		b.works(b.t.Context())
	})
}

// removeForgotten removes what a check tells to remove by hand.
func (b *bed) removeForgotten() {
	b.t.Helper()
	r := run(b.t, append([]string{"check", "--format", "json"}, b.where()...)...)
	var doc struct{ Findings []prune.Finding }
	b.must(json.Unmarshal([]byte(r.Stdout), &doc))
	b.d.RemoveByHand(doc.Findings)
}
