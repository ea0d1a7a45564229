package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// Repaired is what a repair did that another check does not show.
type Repaired struct {
	// Expired are leases that expired since the findings, and are gone, too.
	Expired []undo.LeaseInfo
	// Renewed were found to have expired. Their owners have made leases with
	// the same IDs since, which were left alone.
	Renewed []undo.LeaseInfo
}

// Repair fixes the findings that can be fixed without risk, and does no more
// than they require: it finishes interrupted runs and aborts abandoned uploads
// in the namespaces where some were found. Then it requests a garbage
// collection, even if nothing was found: the collection removes garbage and
// expired leases, and nothing else makes containerd look for leftover files of
// blobs. Check again to see what was fixed. When ctx ends, what was begun is finished,
// and the error is that of ctx if something was not begun.
func Repair(ctx context.Context, store store.Store, findings []Finding, opts run.ExecuteOptions) (*Repaired, error) {
	before, err := read.Read(ctx, store, inventory.Scope{AllNamespaces: true}, opts.Now(), opts.Reading())
	if err != nil {
		return nil, err
	}
	at := opts.Now()
	if _, err := undo.FinishRuns(ctx, store, before, mendings(findings), opts); err != nil {
		return nil, err
	}
	if err := abortForgotten(ctx, store, findings); err != nil {
		return nil, err
	}
	ctx, done := opts.Begun(ctx)
	defer done()
	snapshotters := suspect(findings, before)
	err = run.RequestCollection(ctx, before, store, opts, func(ctx context.Context, run lock.Run) error {
		return refuse(ctx, store, snapshotters, run, prepareTries*read.PluginTime(opts.PluginTime))
	})
	after, readErr := read.Read(ctx, store, inventory.Scope{}, opts.Now(), opts.Reading())
	if readErr != nil {
		return nil, errors.Join(err, readErr)
	}
	listed, end := expiredIn(findings), opts.Now()
	left, repaired := undo.ListLeases(after, end), &Repaired{}
	repaired.Renewed = undo.RenewedLeases(listed, left)
	known := undo.ByID(listed)
	for _, l := range undo.RemovedLeases(listed, undo.ListLeases(before, at), left, at, end) {
		if _, wasFound := known[l.Key()]; !wasFound && !l.Kind.Ours() {
			repaired.Expired = append(repaired.Expired, l)
		}
	}
	return repaired, err
}

// abortForgotten aborts the uploads that containerd does not know, until ctx ends.
func abortForgotten(ctx context.Context, store store.Store, findings []Finding) error {
	for _, f := range findings {
		if f.Problem == ProblemForgottenUpload && f.Repairable && ctx.Err() == nil {
			if err := disk.AbortUpload(ctx, store, f.Object); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// mendings is the policy that fixes what a collection does not.
func mendings(findings []Finding) rules.Policy {
	policy := rules.Nothing()
	policy.MissingOK = true
	for _, f := range findings {
		if f.Problem == ProblemOldUpload {
			policy.IngestAge = gc.IngestExpiry
		}
		if f.Problem == ProblemOldUpload || f.Problem == ProblemInterrupted {
			policy.Namespaces = append(policy.Namespaces, f.Namespace)
		}
	}
	return policy
}

// expiredIn lists the leases that were found to have expired.
func expiredIn(findings []Finding) []undo.LeaseInfo {
	var list []undo.LeaseInfo
	for _, f := range findings {
		if f.Problem == ProblemExpired {
			list = append(list, undo.LeaseInfo{Namespace: f.Namespace, ID: f.Object, Action: rules.Remove, Cause: cause.Plainly(cause.CodeLeaseExpired)})
		}
	}
	return list
}

// suspect lists those of the snapshotters of which something was found, and
// which answer.
func suspect(findings []Finding, inv *inventory.Inventory) []string {
	silent := inv.Silent()
	return slices.DeleteFunc(slices.Clone(inv.Store.Snapshotters), func(name string) bool {
		return slices.Contains(silent, name) || !slices.ContainsFunc(findings, func(f Finding) bool { return slices.Contains(f.Snapshotters, name) })
	})
}

// refuse creates something for a collection to remove, because containerd
// compares its content store, or a snapshotter, with its metadata only if it
// removes something from it. A blob is cheap; an empty snapshot is not with
// every snapshotter, because it may copy or format a device for it.
func refuse(ctx context.Context, store store.Store, snapshotters []string, run lock.Run, each time.Duration) error {
	err := lock.WriteRefuse(ctx, store.Content(), run)
	for _, name := range snapshotters {
		err = errors.Join(err, throwAway(ctx, store.Snapshotter(name), name, run.Name, each))
	}
	return err
}

// prepareTries is for how many times the time of another answer a snapshotter may
// make a snapshot.
const prepareTries = 3

// throwAway makes an empty snapshot that only the lease of ctx holds.
func throwAway(ctx context.Context, sn snapshots.Snapshotter, name, run string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := sn.Prepare(ctx, "ctr-prune-"+run, "")
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("making a snapshot for snapshotter %q to remove: %w", name, err)
	}
	return nil
}
