package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// Problem is a sort of [Finding], and its code.
type Problem string

// The problems that a check looks for.
const (
	ProblemIncomplete  Problem = "incomplete-image"
	ProblemForgotten   Problem = "forgotten-blob"
	ProblemLost        Problem = "lost-blob"
	ProblemGarbage     Problem = "garbage"
	ProblemUnowned     Problem = "unowned-snapshot"
	ProblemExpired     Problem = "expired-lease"
	ProblemOldUpload   Problem = "abandoned-upload"
	ProblemInterrupted Problem = "interrupted-run"
	ProblemPhantom     Problem = "phantom-image"
	ProblemUnreadable  Problem = "unreadable-user"
)

// String says the problem in words.
func (p Problem) String() string { return strings.ReplaceAll(string(p), "-", " ") }

// Finding is one thing that is not as it should be.
type Finding struct {
	Problem   Problem `json:"problem"`
	Namespace string  `json:"namespace,omitempty"`
	Object    string  `json:"object"`
	Bytes     int64   `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: images refer to each other in
	// more ways than are followed.
	AtLeast bool `json:"atLeast,omitempty"`
	// Meaning is what it means for a user, and Parts are what that names.
	Meaning string `json:"meaning"`
	Parts   *parts `json:"parts,omitempty"`
	// Mend says what mends it.
	Mend string `json:"mend"`
	// Repairable says that [Repair] can mend it without risk.
	Repairable bool `json:"repairable"`
	// Snapshotters are those that have a part in it, sorted.
	Snapshotters []string `json:"snapshotters,omitempty"`
}

// CheckOptions are the parts of a check that are not in the store.
type CheckOptions struct {
	Read ReadOptions
}

// checker looks for problems in one inventory.
type checker struct {
	inv *Inventory
	c   *collector
	// alone is what each lease alone holds.
	alone map[node]Amount
	found []Finding
}

// Check looks for what users usually find too late. It only reads.
func Check(ctx context.Context, store Store, now time.Time, opts CheckOptions) ([]Finding, error) {
	// Files first: a blob that is committed meanwhile is then known by the
	// time that the store is read.
	files, filesErr := store.BlobFiles(ctx)
	if filesErr != nil && !errdefs.IsUnavailable(filesErr) {
		return nil, fmt.Errorf("listing the blobs on disk: %w", filesErr)
	}
	inv, err := readMeasured(ctx, store, Scope{AllNamespaces: true}, now, opts.Read, (*collector).allSnapshots)
	if err != nil {
		return nil, err
	}
	k := &checker{inv: inv, c: newCollector(inv, now)}
	k.alone = k.c.heldAlone()
	for _, ns := range inv.Namespaces {
		k.incomplete(ns, ns.lacker(ctx, store))
		k.leases(ns)
		k.uploads(ns)
		k.unreadable(ns)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("checking the store: %w", ctx.Err())
	}
	k.unreached()
	errs := []error{k.forgotten(ctx, store, files), k.lost(ctx, store, files)}
	if ns := inv.Namespace(criNamespace); ns != nil {
		errs = append(errs, k.phantoms(ctx, store, ns))
	}
	slices.SortStableFunc(k.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Object, b.Object))
	})
	return k.found, errors.Join(errs...)
}

// add notes a finding, in words.
func (k *checker) add(f Finding) {
	text := problems[f.Problem]
	p := f.Parts
	if p == nil {
		p = &parts{}
	}
	f.Meaning, f.Repairable = text.meaning(p), text.repairable
	if f.Mend == "" {
		f.Mend = text.mend
	}
	k.found = append(k.found, f)
}

// forgotten finds the files of blobs that no namespace knows, which a
// containerd leaves when it is killed while it collects. It keeps one for as
// long as an upload waits for it.
func (k *checker) forgotten(ctx context.Context, store Store, files map[digest.Digest]struct{}) error {
	known := k.inv.objects().blobs
	if store.Abilities().Files == nil {
		return nil
	}
	reached, looker := k.c.reach(change{}), fileLooker{store: store, inv: k.inv}
	var errs []error
	for dgst := range files {
		if _, ok := known[dgst]; ok {
			continue
		}
		if _, awaited := k.c.awaiting(reached, dgst); awaited {
			continue
		}
		now, err := looker.look(ctx, dgst)
		if err != nil || now.gone || now.known {
			errs = append(errs, err)
			continue
		}
		k.add(Finding{Problem: ProblemForgotten, Object: dgst.String(), Bytes: now.size})
	}
	return errors.Join(errs...)
}

// unreached finds what nothing holds.
func (k *checker) unreached() {
	before := k.c.reach(change{})
	_, unheld := k.c.split(k.inv.objects(), before, before)
	var garbage Amount
	in := make(map[string]bool)
	for _, bytes := range unheld.blobs {
		garbage.addBlob(bytes)
	}
	for _, id := range unheld.sortedSnapshots() {
		snapshot := k.c.spaces[id.Namespace].Snapshots[id.SnapshotKey]
		if isActive(snapshot) {
			k.add(Finding{
				Problem: ProblemUnowned, Namespace: id.Namespace, Object: id.SnapshotKey.String(), Bytes: unheld.snapshots[id],
				Snapshotters: []string{id.Snapshotter},
			})
			continue
		}
		garbage.addSnapshot(unheld.snapshots[id])
		in[id.Snapshotter] = true
	}
	if garbage != (Amount{}) {
		k.add(Finding{
			Problem: ProblemGarbage, Object: amountOf(garbage), Bytes: garbage.TotalBytes,
			Parts:        &parts{Blobs: garbage.Blobs, Snapshots: garbage.Snapshots},
			Snapshotters: slices.Sorted(maps.Keys(in)),
		})
	}
}

// amountOf counts the blobs and snapshots of an amount that has some.
func amountOf(a Amount) string {
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
