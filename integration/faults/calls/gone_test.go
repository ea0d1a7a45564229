package calls

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// From some call on containerd is not there any more. The run says so once,
// however many records are left; and when containerd is back the next one, of
// the same process, leaves what an undisturbed one leaves.
func TestContainerdGoesAway(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		at := b.sample(false)
		for i, method := range b.calls {
			if deletes(method) {
				at = append(at, i+1) // the first of them, whatever the sample has
				break
			}
		}
		for i, at := range at {
			b.goesAway(at, moment(i%2))
		}
		t.Logf("containerd went away %d times in runs of %d calls", len(at), len(b.calls))
	})
}

func deletes(method string) bool {
	return path.Base(method) == "Delete" && strings.Contains(method, ".Images/")
}

func (b *bed) goesAway(at int, m moment) {
	b.t.Helper()
	f := &fault{at: at, moment: m, lasting: true, inject: func() error { return status.Error(codes.Unavailable, "nobody is there") }}
	o := b.run(b.t.Context(), f)
	what := fmt.Sprintf("gone %s call %d, %s", m, at, f.method)
	if o.err == nil {
		b.t.Errorf("%s: the run says nothing", what)
	}
	if o.report != nil {
		b.saidOnce(what, o.report, deletes(f.method))
	}
	b.verdict(what, o)
}

// saidOnce fails the test if a report tells of single records, or does not
// tell what is left of the deleting, if that call failed.
func (b *bed) saidOnce(what string, report *prune.Report, deleting bool) {
	b.t.Helper()
	for _, failed := range report.Errors {
		text := failed.Reason
		if strings.Contains(text, "deleting image") || strings.Contains(text, "looking up image") || strings.Contains(text, "stand-in") {
			b.t.Errorf("%s: told of one record: %s", what, text)
		}
	}
	if deleting && (report.Untried == 0 || len(report.Errors) != 1 || report.Errors[0].ReasonCode != "server-gone") {
		b.t.Errorf("%s: untried %d, errors %+v", what, report.Untried, report.Errors)
	}
}
