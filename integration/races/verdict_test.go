package races

import (
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// verdict looks at the store when all is quiet.
func (r *race) verdict() {
	r.t.Helper()
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
	r.healthy()
	if said, code, err := r.command(r.t.Context()); err != nil || code != 0 {
		r.t.Errorf("the last run ends with %d, %v: %s", code, err, said)
	}
	if err := oracle.Check(before, r.n.Capture(), oracle.AllowOrphanedSnapshots()); err != nil {
		r.t.Errorf("the last run did harm:\n%v", err)
	}
	r.healthy()
}

// complete fails the test for records whose images lack a blob, be it in the
// metadata or on the disk.
func (r *race) complete(name string, ns *oracle.Namespace, s *oracle.State) {
	r.t.Helper()
	for _, rec := range ns.Images {
		img := r.byTarget[rec.Target.Digest]
		if img == nil {
			r.t.Errorf("namespace %s: a record %s that nobody made", name, rec.Name)
			continue
		}
		if lost := lacking(ns, s, img); len(lost) > 0 && !(onlyLayers(img, lost) && r.unpacked(ns, img)) {
			r.t.Errorf("namespace %s: image %s lacks %v", name, rec.Name, lost)
		}
	}
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
func lacking(ns *oracle.Namespace, s *oracle.State, img *imagestore.Image) []digest.Digest {
	var lost []digest.Digest
	for _, b := range img.Blobs() {
		_, known := ns.Content[b.Desc.Digest]
		if size := s.Files[b.Desc.Digest]; !known || size != b.Desc.Size {
			lost = append(lost, b.Desc.Digest)
		}
	}
	return lost
}

// unpacked says whether all snapshots of an image are there.
func (r *race) unpacked(ns *oracle.Namespace, img *imagestore.Image) bool {
	return !slices.ContainsFunc(img.ChainIDs(), func(key string) bool {
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
	found, err := prune.Check(ctx, store, time.Now(), prune.CheckOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	if slices.ContainsFunc(found, func(f prune.Finding) bool { return f.Problem == prune.ProblemForgotten }) {
		if err := prune.Repair(ctx, store, found, prune.ExecuteOptions{Now: time.Now}); err != nil {
			r.t.Errorf("repairing %+v: %v", found, err)
		}
		if found, err = prune.Check(ctx, store, time.Now(), prune.CheckOptions{}); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, f := range found {
		r.t.Errorf("found: %+v", f)
	}
}
