package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Problem is a kind of [Finding], and its code in JSON.
type Problem string

// The problems that a check looks for.
const (
	ProblemIncomplete      Problem = "incomplete-image"
	ProblemForgotten       Problem = "forgotten-blob"
	ProblemForgottenFiles  Problem = "forgotten-snapshot"
	ProblemForgottenUpload Problem = "forgotten-upload"
	ProblemLost            Problem = "lost-blob"
	ProblemLostSnapshot    Problem = "lost-snapshot"
	ProblemLostDatabase    Problem = "lost-database"
	ProblemDamaged         Problem = "damaged-blob"
	ProblemGarbage         Problem = "garbage"
	ProblemUnowned         Problem = "unowned-snapshot"
	ProblemExpired         Problem = "expired-lease"
	ProblemOldUpload       Problem = "abandoned-upload"
	ProblemInterrupted     Problem = "interrupted-run"
	ProblemPhantom         Problem = "phantom-image"
	ProblemUnreadable      Problem = "unreadable-user"
	ProblemLookalike       Problem = "label-without-effect"
)

// String says the problem in words.
func (p Problem) String() string { return strings.ReplaceAll(string(p), "-", " ") }

// Finding is one problem that a check found.
type Finding struct {
	Problem   Problem `json:"problem"`
	Namespace string  `json:"namespace,omitempty"`
	Object    string  `json:"object"`
	Bytes     int64   `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: images refer to each other in
	// more ways than are followed, or a snapshot was not measured.
	AtLeast bool `json:"atLeast,omitempty"`
	// Meaning is what it means for a user, and Parts are what that names.
	Meaning string       `json:"meaning"`
	Parts   *cause.Parts `json:"parts,omitempty"`
	// Fix says what fixes it.
	Fix string `json:"fix"`
	// Repairable says that [Repair] can fix it without risk.
	Repairable bool `json:"repairable"`
	// Snapshotters are those that have a part in it, sorted.
	Snapshotters []string `json:"snapshotters,omitempty"`
}

// CheckOptions are the inputs of a check that do not come from the store.
type CheckOptions struct {
	Read read.ReadOptions
	// Verify reads every blob and compares it with its digest.
	Verify bool
}

// Checked is what a check found.
type Checked struct {
	Findings []Finding
	// Unseen says what could not be checked, and why, so that an incomplete check
	// without findings does not look like a healthy store.
	Unseen []cause.Cause
}

// Checker looks for problems in one inventory.
type Checker struct {
	Inv *inventory.Inventory
	C   *gc.Collector
	// alone is what each lease alone holds.
	alone map[graph.Node]inventory.Amount
	Found []Finding
}

// Check looks for problems in the store: incomplete images, lost or leftover
// files, garbage, expired leases, abandoned uploads, interrupted runs. It only
// reads.
func Check(ctx context.Context, st store.Store, now time.Time, opts CheckOptions) (*Checked, error) {
	// Files first: what is written meanwhile is then known by the time that the
	// store is read.
	d, err := look(ctx, st)
	if err != nil {
		return nil, err
	}
	inv, err := read.ReadMeasured(ctx, st, inventory.Scope{AllNamespaces: true}, now, opts.Read, (*gc.Collector).AllSnapshots)
	if err != nil {
		return nil, err
	}
	k := &Checker{Inv: inv, C: gc.NewCollector(inv, now)}
	k.alone = k.C.HeldAlone()
	for _, ns := range inv.Namespaces {
		if len(ns.Silences) == 0 { // else it is unknown what is unpacked
			k.Incomplete(ns, manifests.NewCompletenessReading(ctx, ns, st))
		}
		k.leases(ns)
		k.uploads(ns)
		k.unreadable(ns)
		k.lookalikes(ns)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("checking the store: %w", ctx.Err())
	}
	k.Unreached()
	errs := []error{k.forgotten(ctx, st, d.blobs), k.lost(ctx, st, d.blobs), k.files(ctx, st, d), k.damaged(ctx, st, d, opts)}
	if ns := inv.Namespace(store.CRINamespace); ns != nil {
		errs = append(errs, k.phantoms(ctx, st, ns))
	}
	slices.SortStableFunc(k.Found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Object, b.Object))
	})
	return &Checked{Findings: k.Found, Unseen: append(d.unseen(inv), inv.Notes()...)}, errors.Join(errs...)
}

// add notes a finding, in words.
func (k *Checker) add(f Finding) {
	text := problems[f.Problem]
	p := f.Parts
	if p == nil {
		p = &cause.Parts{}
	}
	f.Meaning = text.meaning(p)
	if f.Fix == "" {
		f.Fix, f.Repairable = text.fix, text.repairable
	}
	k.Found = append(k.Found, f)
}

// forgotten finds the files of blobs that no namespace knows, which a
// containerd leaves when it is killed while it collects. It keeps one for as
// long as an upload waits for it.
func (k *Checker) forgotten(ctx context.Context, store store.Store, files map[digest.Digest]struct{}) error {
	known := k.Inv.Objects().Blobs
	if store.Abilities().Files == nil {
		return nil
	}
	reached, looker := k.C.Reach(gc.Change{}), disk.BlobLooker{Store: store, Inv: k.Inv}
	var errs []error
	for dgst := range files {
		if _, ok := known[dgst]; ok {
			continue
		}
		if _, awaited := k.C.Awaiting(reached, dgst); awaited {
			continue
		}
		now, err := looker.Look(ctx, dgst)
		if err != nil || now.Gone || now.Known {
			errs = append(errs, err)
			continue
		}
		k.add(Finding{Problem: ProblemForgotten, Object: dgst.String(), Bytes: now.Size})
	}
	return errors.Join(errs...)
}

// Unreached finds what nothing holds.
func (k *Checker) Unreached() {
	before := k.C.Reach(gc.Change{})
	_, unheld := k.C.Split(k.Inv.AllBlobs(), k.Inv.AllSnapshots(), before, before)
	var garbage inventory.Amount
	in := make(map[string]bool)
	for dgst, bytes := range unheld.Blobs {
		if !k.isOldPlan(dgst) {
			garbage.AddBlob(bytes)
		}
	}
	for _, id := range unheld.SortedSnapshots() {
		snapshot := k.C.Spaces[id.Namespace].Snapshots[id.SnapshotKey]
		if clients.IsActive(snapshot) {
			k.add(Finding{
				Problem: ProblemUnowned, Namespace: id.Namespace, Object: id.SnapshotKey.String(), Bytes: inventory.Known(unheld.Snapshots[id]),
				AtLeast:      unheld.Snapshots[id] == inventory.Unmeasured,
				Snapshotters: []string{id.Snapshotter},
			})
			continue
		}
		garbage.AddSnapshot(unheld.Snapshots[id])
		in[id.Snapshotter] = true
	}
	if garbage != (inventory.Amount{}) {
		k.add(Finding{
			Problem: ProblemGarbage, Object: amountOf(garbage), Bytes: garbage.TotalBytes,
			Parts:        &cause.Parts{Blobs: garbage.Blobs, Snapshots: garbage.Snapshots},
			Snapshotters: slices.Sorted(maps.Keys(in)),
		})
	}
}

// isOldPlan says whether a blob is what a run wrote down that has been undone
// since. That is small, and the next collection takes it: nothing to report.
func (k *Checker) isOldPlan(dgst digest.Digest) bool {
	return !slices.ContainsFunc(k.Inv.Namespaces, func(ns *inventory.Namespace) bool {
		blob, has := ns.Blobs[dgst]
		return has && !lock.IsPlan(blob.Labels.Map())
	})
}

// amountOf counts the blobs and snapshots of an amount that has some.
func amountOf(a inventory.Amount) string {
	var counts []string
	for _, c := range []struct {
		n    int
		word string
	}{{a.Blobs, "blob"}, {a.Snapshots, "snapshot"}} {
		switch {
		case c.n == 1:
			counts = append(counts, "1 "+c.word)
		case c.n > 1:
			counts = append(counts, fmt.Sprintf("%d %ss", c.n, c.word))
		}
	}
	return strings.Join(counts, ", ")
}
