package daemon

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// checkTimeout bounds the check at the end of a test.
const checkTimeout = 10 * time.Minute

// Expect names what `ctr-prune check` may find when the test is over: problems
// that the test itself plants. Anything else that it finds fails the test.
func (d *Daemon) Expect(problems ...prune.Problem) {
	d.expected = append(d.expected, problems...)
}

// Unopenable says that the test leaves a store that nobody can open, and why:
// there is nothing to check then.
func (d *Daemon) Unopenable(why string) { d.unopenable = why }

// check is the last line of every test with a daemon: the public check of the
// store that is left, running or stopped. What is only waiting for containerd's
// next collection is collected first.
func (d *Daemon) check() {
	d.tb.Helper()
	if _, isTest := d.tb.(*testing.T); !isTest || d.tb.Failed() || d.tb.Skipped() {
		return
	}
	if d.unopenable != "" {
		d.tb.Logf("the store is not checked: %s", d.unopenable)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	found, err := d.findings(ctx)
	if err != nil {
		d.tb.Errorf("checking what the test has left: %v", err)
	}
	for _, f := range found {
		switch {
		case slices.Contains(d.expected, f.Problem):
		case d.killed && ByHand(f):
			d.tb.Logf("left by a containerd that was killed, and cannot be made to remove it: %q", f.Object)
		default:
			d.tb.Errorf("left at the end of the test: %s: %q in namespace %q, %d bytes: %s", f.Problem, f.Object, f.Namespace, f.Bytes, f.Meaning)
		}
	}
}

func (d *Daemon) findings(ctx context.Context) (found []prune.Finding, err error) {
	store, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	client, err := imagestore.Over(store)
	if err != nil {
		return nil, err
	}
	if err := (imagestore.Store{Client: client, Namespace: "default"}).Collect(ctx); err != nil {
		return nil, err
	}
	checked, err := prune.Check(ctx, store, time.Now(), prune.CheckOptions{})
	if err != nil {
		return nil, err
	}
	return checked.Findings, nil
}

// ByHand says whether a finding is one that containerd cannot be made to repair,
// and for which the files are to be removed by hand: native has no way to remove
// what a collection that was killed has left, and nobody removes an upload that
// has lost its name.
func ByHand(f prune.Finding) bool {
	return !f.Repairable && (f.Problem == prune.ProblemForgottenFiles || f.Problem == prune.ProblemForgottenUpload)
}

// RemoveByHand does what such findings tell: it removes their files while the
// daemon is stopped.
func (d *Daemon) RemoveByHand(found []prune.Finding) {
	d.tb.Helper()
	if !slices.ContainsFunc(found, ByHand) {
		return
	}
	if d.Running() {
		d.Stop()
		defer d.Up()
	}
	for _, f := range found {
		if !ByHand(f) {
			continue
		}
		if err := os.RemoveAll(f.Object); err != nil {
			d.tb.Fatalf("removing what a check found: %v", err)
		}
	}
}
