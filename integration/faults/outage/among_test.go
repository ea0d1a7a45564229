package outage

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// many is how many images go in a run that is hit among its deletions, the
// call amongDeletions.
const many = 24

var amongDeletions = spot{Method: firstDelete.Method, Nth: many / 3}

// Containerd is killed among the deletions: the command tries no more of them,
// says so once, and says what to do, which helps.
func TestContainerdDiesAmongDeletions(t *testing.T) {
	onDaemons(t, many, func(b *bed) {
		h := b.halt(amongDeletions)
		b.d.Kill()
		code, doc := h.end(), h.Document()
		said := strings.Count(h.Stderr(), "ctr-prune: ")
		if code != programs.ExitFailed || len(doc.Errors) != 1 || said != 1 || doc.Measured || doc.Interrupted {
			b.t.Errorf("exit code %d, %d errors, %d sentences: %s", code, len(doc.Errors), said, h.Stderr())
		}
		if !strings.Contains(h.Stderr(), "image records were not tried") || !strings.Contains(h.Stderr(), "run it again") {
			b.t.Errorf("it does not say what is left and what to do: %s", h.Stderr())
		}
		b.d.Up()
		b.untried("killed among the deletions", doc.Untried)
		b.recovered("killed among the deletions")
	})
}

// untried holds what a run said it did not come to, to the records that are
// there: but for the few that were under way, it says the truth.
func (b *bed) untried(what string, said int) {
	b.t.Helper()
	const underWay = 4
	there := len(b.d.Capture().Namespaces["default"].Images) - len(b.pruned.Namespaces["default"].Images)
	if said < there || said > there+underWay || said < many/3 {
		b.t.Errorf("%s: %d records are left to be tried, %d are there", what, said, there)
	}
}

// A process that prunes with the library lives on when containerd is killed
// under its run: its next one finishes that at once.
func TestTheSameProcessFinishesIt(t *testing.T) {
	onDaemons(t, many, func(b *bed) {
		report, err := b.execute(b.before(amongDeletions, func() { _ = unix.Kill(b.d.PID(), unix.SIGKILL) }))
		var gone *prune.GoneError
		if !errors.As(err, &gone) || report == nil || len(report.Errors) != 1 {
			b.t.Fatalf("the run ended with report %v, error %v", report != nil, err)
		}
		b.d.Kill() // it is dead, and is waited for
		b.d.Up()
		b.untried("killed under the library", gone.Untried)
		b.survived("killed under the library")
		report, err = b.execute()
		b.must(err)
		if len(report.Recovered) != 1 {
			b.t.Errorf("recovered %+v", report.Recovered)
		}
		b.recovered("killed under the library")
	})
}
