package hostile

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// patient keeps a daemon from collecting what a test plants before the command
// looks at it, when it starts and later.
const patient = daemon.Patient + `  startup_delay = "1h"
`

// host is a daemon whose store a test makes hostile while it is stopped. The
// command gets its socket, or its root where it stays stopped.
type host struct {
	t    *testing.T
	d    *daemon.Daemon
	make *imagestore.Builder
}

// everywhere runs a test on every version; plant is called with the store of
// the stopped daemon, and test then looks at it, running and stopped.
func everywhere(t *testing.T, plant func(h *host, e *imagestore.Embedded), test func(h *host)) {
	t.Parallel()
	daemon.EachMode(t, func(t *testing.T, v parts.Part, stopped bool) {
		daemon.LeaveToLong(t, v, stopped)
		h := &host{t: t, d: daemon.Start(t, daemon.Options{Version: v, NoSync: true, Config: patient}), make: imagestore.New(1)}
		h.d.Expect(prune.ProblemIncomplete) // what is hostile is seldom whole
		h.d.Stop()
		h.offline(func(e *imagestore.Embedded) { plant(h, e) })
		if !stopped {
			h.d.Up()
		}
		test(h)
	})
}

// offline opens the store of the stopped daemon for a moment.
func (h *host) offline(fn func(e *imagestore.Embedded)) {
	h.t.Helper()
	h.d.Offline(func(e *imagestore.Embedded) error {
		fn(e)
		return nil
	})
}

func (h *host) must(errs ...error) {
	h.t.Helper()
	for _, err := range errs {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// run runs the command on the store.
func (h *host) run(args ...string) result {
	h.t.Helper()
	r := run(h.t, h.at(args)...)
	r.Clean(h.t)
	return r
}

// where are the flags of the store.
func (h *host) where() []string { return h.d.Flags(!h.d.Running()) }

// at puts the flags of the store where flags end.
func (h *host) at(args []string) []string {
	end := slices.Index(args, "--")
	switch {
	case args[0] == "__complete" && strings.HasPrefix(args[1], "-"):
		end = 1
	case args[0] == "__complete":
		end = 2
	case end < 0:
		end = len(args)
	}
	return slices.Concat(args[:end], h.where(), args[end:])
}

// state reads the store for the oracle.
func (h *host) state() *oracle.State {
	h.t.Helper()
	return h.d.Capture()
}

// prune removes all that is unused, and checks that it did no harm and told
// the truth; a second run finds nothing.
func (h *host) prune(args ...string) prune.Document {
	h.t.Helper()
	before := h.state()
	plan := parsed[prune.Document](h.run(slices.Concat([]string{"--all", "--dry-run", "--format", "json"}, args)...).want(programs.ExitDone))
	h.same(before)
	doc := parsed[prune.Document](h.run(slices.Concat([]string{"--all", "--force", "--format", "json"}, args)...).want(programs.ExitDone))
	after := h.state()
	if err := oracle.Check(before, after); err != nil {
		h.t.Errorf("the prune did harm:\n%v", err)
	}
	checkCounts(h.t, plan)
	checkCounts(h.t, doc)
	if diff := cmp.Diff(plan.Predicted, doc.Reclaimed); diff != "" {
		h.t.Errorf("predicted and reclaimed (-plan +report): %s\n%+v", diff, doc.Changes)
	}
	again := parsed[prune.Document](h.run(slices.Concat([]string{"--all", "--force", "--format", "json"}, args)...).want(programs.ExitDone))
	if len(again.Untagged)+len(again.Deleted) > 0 {
		h.t.Errorf("a second run removed %d records and %d objects", len(again.Untagged), len(again.Deleted))
	}
	return doc
}

// same fails the test if anything in the store has changed.
func (h *host) same(before *oracle.State) {
	h.t.Helper()
	if diff := oracle.Differences(before, h.state()); diff != "" {
		h.t.Errorf("looking has changed the store:\n%.2000s", diff)
	}
}

// checkCounts fails the test unless every record has an action and a reason.
func checkCounts(t *testing.T, doc prune.Document) {
	t.Helper()
	c := doc.Counts
	if c.Remove+c.StandIn+c.Keep != c.Images || c.Images != len(doc.Images) {
		t.Errorf("the counts do not add up: %+v of %d", c, len(doc.Images))
	}
	for _, image := range doc.Images {
		if image.Reason == "" {
			t.Errorf("image %.80q is to %s for no reason", image.Name, image.Action)
		}
	}
}

// numbered is a digest that no text has to have.
func numbered(what string, n int) digest.Digest {
	return digest.FromString(what + " " + strconv.Itoa(n))
}
