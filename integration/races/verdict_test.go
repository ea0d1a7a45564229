package races

import (
	"strings"
	"time"

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
		for _, b := range img.Blobs() {
			_, known := ns.Content[b.Desc.Digest]
			if size := s.Files[b.Desc.Digest]; !known || size != b.Desc.Size {
				r.t.Errorf("namespace %s: image %s lacks %s: known %v, %d bytes on the disk of %d",
					name, rec.Name, b.Desc.Digest, known, size, b.Desc.Size)
			}
		}
	}
	for id, c := range ns.Containers {
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

// healthy asks the product whether everything is in order.
func (r *race) healthy() {
	r.t.Helper()
	store, err := prune.Open(r.t.Context(), r.n.Address())
	if err != nil {
		r.t.Fatal(err)
	}
	defer store.Close()
	found, err := prune.Check(r.t.Context(), store, time.Now(), prune.CheckOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range found {
		r.t.Errorf("found: %+v", f)
	}
}
