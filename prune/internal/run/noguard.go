package run

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// GuardError says that a run removed nothing, because the lease or the plan
// that protects a run could not be written to the disk.
type GuardError struct {
	// Errno is what the disk answered: ENOSPC, EDQUOT, EROFS or EIO.
	Errno syscall.Errno
	// Err says what could not be written.
	Err error
}

// guardProblems are the answers of a disk, what they mean, and what to do if
// only one thing can be done.
var guardProblems = map[syscall.Errno]struct {
	code        cause.Code
	means, hint string
}{
	syscall.ENOSPC: {code: "disk-full", means: "the disk is full, so the lease and the plan that guard a run cannot be written"},
	syscall.EDQUOT: {code: "quota-used-up", means: "the disk quota is used up, so the lease and the plan that guard a run cannot be written"},
	syscall.EROFS:  {code: "store-read-only", means: "the store is read-only", hint: "; make it writable first"},
	syscall.EIO:    {code: "disk-failing", means: "the disk of the store reports errors", hint: "; see the kernel log: nothing can be removed until that is fixed"},
}

func (e *GuardError) Error() string {
	p := guardProblems[e.Errno]
	return fmt.Sprintf("%s: %s%s", p.means, e.Err, p.hint)
}

// Unwrap returns what could not be written, and what the disk answered.
func (e *GuardError) Unwrap() []error { return []error{e.Err, e.Errno} }

// unguarded makes a *GuardError, with a code, of an error that the disk of the store is the
// cause of, before anything was removed. A daemon hands causes on in words, in
// which names of the store may say anything: what its disk is like is looked at.
func unguarded(ctx context.Context, st store.Store, err error) error {
	errno, ok := store.DiskErrno(err)
	if disk := st.Abilities().Disk; disk != nil && !ok && errdefs.IsUnknown(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), questionTime)
		defer cancel()
		errno, ok = disk.TakesNothing(ctx)
	}
	if !ok {
		return err
	}
	return &cause.CodeError{Code: guardProblems[errno].code, Err: &GuardError{Errno: errno, Err: err}}
}

// checkGuard refuses options that contradict each other.
func (o ExecuteOptions) checkGuard() error {
	if o.NoGuard && o.Grace > 0 {
		return fmt.Errorf("a grace period needs a lease, and a run without a guard writes none: %w", errdefs.ErrInvalidArgument)
	}
	return nil
}

// collect ends a run without a guard with the one collection. Deletions have
// made room in the database by now, so that there is a lease to delete.
func (x *Execution) collect(ctx context.Context) error {
	read.NewMeter(x.opts.Progress, read.StageCollect).Add(0)
	if len(x.Batches) == 0 {
		return nil
	}
	ns := x.Batches[0].Namespace.Name
	ctx = store.InNamespace(ctx, ns)
	if err := x.locker.Lock(ctx, ns, x.run, x.opts.Now()); err != nil {
		return fmt.Errorf("could not request a garbage collection, so space is freed when containerd next collects by itself: %w", err)
	}
	collected, err := x.locker.Unlock(ctx, x.run, x.opts.Now(), true)
	if err != nil {
		err = fmt.Errorf("namespace %q: %w", ns, err)
	}
	if !collected && ctx.Err() == nil && x.silent(ctx, err) == nil {
		err = errors.Join(err, x.collectAnyway(ctx, ns))
	}
	return err
}

// guarded says whether something holds the content of what the run deletes. A
// run without a guard has nothing, nor has one that has outlasted its lease, as
// where the machine slept meanwhile.
func (x *Execution) guarded() bool {
	return !x.opts.NoGuard && !x.opts.Now().After(x.run.Expires)
}

// whole says whether an image can be put back, and tells why not: where nothing
// holds its content containerd may have collected it.
func (x *Execution) whole(inv *inventory.Inventory, d rules.Decision) bool {
	if x.guarded() {
		return true
	}
	if ns := inv.Namespace(d.Namespace); x.completeness.Namespace != ns {
		x.completeness = manifests.NewCompleteness(ns)
	}
	lack := x.completeness.Lacks(d.Target.Digest)
	if lack.Given() {
		x.failOn(cause.CodeImageLost, d, fmt.Errorf("image %q in namespace %q cannot be restored although it is needed (%s): %s; pull it again", d.Name, d.Namespace, d.Reason, lack.Reason))
	}
	return !lack.Given()
}
