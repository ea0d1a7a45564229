package races

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// verdict looks at the store when all is quiet: after the run that finishes
// what an outage cut off, and after one that should find it in order.
func (r *race) verdict() {
	r.t.Helper()
	r.prunes("the run after the outage")
	r.n.Settle()
	before := r.n.Capture()
	for name, ns := range before.Namespaces {
		r.complete(name, ns, before)
		for id := range ns.Leases {
			if strings.HasPrefix(id, "ctr-prune") {
				r.t.Errorf("lease %q is left in namespace %q", id, name)
			}
		}
	}
	if _, err := r.keptAll(r.t.Context()); err != nil {
		r.t.Errorf("looking at what is to be kept: %v", err)
	}
	r.unmounted()
	r.healthy()
	r.prunes("the last run")
	after := r.n.Capture()
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		r.t.Errorf("the last run did harm:\n%v", err)
	}
	if r.engine != nil {
		r.engine.CheckOwn(before, after)
	}
	r.healthy()
}

// unmounted fails the test for anything that is mounted in the store, or from it
// at another place than containerd's own for containers and pods.
func (r *race) unmounted() {
	r.t.Helper()
	all, err := mountinfo.GetMounts(nil)
	if err != nil {
		r.t.Fatalf("listing mounts: %v", err)
	}
	for _, m := range all {
		in := strings.HasPrefix(m.Mountpoint, r.n.Root()+"/")
		from := strings.Contains(m.VFSOptions, r.n.Root()+"/") && !strings.HasPrefix(m.Mountpoint, r.n.State()+"/")
		if in || from {
			r.t.Errorf("still mounted: %s with %s", m.Mountpoint, m.VFSOptions)
		}
	}
}

// prunes is a run that nothing disturbs.
func (r *race) prunes(what string) {
	r.t.Helper()
	err := r.pruneCommand(r.t.Context())
	for errors.Is(err, errLost) { // and that is repaired now
		err = r.pruneCommand(r.t.Context())
	}
	if err != nil {
		r.t.Errorf("%s: %v", what, err)
	}
}

// complete fails the test for records whose images lack a blob, be it in the
// metadata or on the disk.
func (r *race) complete(name string, ns *oracle.Namespace, s *oracle.State) {
	r.t.Helper()
	for _, rec := range ns.Images {
		if r.byTarget[rec.Target.Digest] == nil && r.builders == nil {
			r.t.Errorf("namespace %s: a record %s that nobody made", name, rec.Name)
			continue
		}
		a, err := r.anatomy(r.t.Context(), r.store(name), rec.Target)
		if err != nil {
			r.t.Errorf("namespace %s: image %s: %v", name, rec.Name, err)
		}
		lost := lacking(ns, s, a)
		if _, cut := r.cut.Load(record{name, rec.Name}); cut && len(lost) > 0 {
			r.tally.note("verdict", "a build that was cut off named an image before it was whole")
			continue
		}
		if len(lost) > 0 && !(a.onlyLayers(lost) && r.unpacked(ns, a)) {
			r.t.Errorf("namespace %s: image %s lacks %v", name, rec.Name, lost)
		}
	}
	r.standing(name, ns)
}

// standing fails the test for containers that lack a snapshot below theirs.
func (r *race) standing(name string, ns *oracle.Namespace) {
	r.t.Helper()
	for id, c := range ns.Containers {
		if _, going := r.removing.Load(id); going {
			continue
		}
		key := oracle.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey}
		for key.Key != "" {
			info, ok := ns.Snapshots[key]
			if !ok {
				r.t.Errorf("namespace %s: container %s lacks snapshot %s", name, id, key)
			}
			key.Key = info.Parent
		}
	}
}

// lacking lists the blobs of an image that the metadata or the disk lacks.
func lacking(ns *oracle.Namespace, s *oracle.State, a anatomy) []digest.Digest {
	var lost []digest.Digest
	for _, b := range a.blobs {
		_, known := ns.Content[b.Digest]
		if size := s.Files[b.Digest]; !known || size != b.Size {
			lost = append(lost, b.Digest)
		}
	}
	return lost
}

// unpacked says whether all snapshots of an image are there.
func (r *race) unpacked(ns *oracle.Namespace, a anatomy) bool {
	return !slices.ContainsFunc(a.chain, func(key string) bool {
		_, ok := ns.Snapshots[oracle.SnapshotKey{Snapshotter: r.n.Snapshotter(), Key: key}]
		return !ok
	})
}

// healthy asks the product whether everything is in order. A restart may have
// come in the midst of a collection: what is found of that can be repaired.
func (r *race) healthy() {
	r.t.Helper()
	ctx := r.t.Context()
	store, err := prune.Open(ctx, r.n.Address())
	if err != nil {
		r.t.Fatal(err)
	}
	defer store.Close()
	sources, err := r.scope().sources(store)
	if err != nil {
		r.t.Fatal(err)
	}
	opts := prune.CheckOptions{Read: prune.ReadOptions{Sources: sources}}
	found, err := prune.Check(ctx, store, time.Now(), opts)
	if err != nil {
		r.t.Fatal(err)
	}
	if slices.ContainsFunc(found.Findings, isForgotten) {
		if _, err := prune.Repair(ctx, store, found.Findings, prune.ExecuteOptions{Now: time.Now, Sources: sources}); err != nil {
			r.t.Errorf("repairing %+v: %v", found, err)
		}
		if found, err = prune.Check(ctx, store, time.Now(), opts); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, f := range found.Findings {
		if daemon.ByHand(f) {
			if err := os.RemoveAll(f.Object); err != nil {
				r.t.Error(err)
			}
			continue
		}
		r.t.Errorf("found: %+v", f)
	}
}

// isForgotten says whether a finding is what a containerd leaves on the disk
// that is killed.
func isForgotten(f prune.Finding) bool {
	return f.Problem == prune.ProblemForgotten || f.Problem == prune.ProblemForgottenFiles || f.Problem == prune.ProblemForgottenUpload
}
