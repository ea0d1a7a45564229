package model

import (
	"context"

	eventtypes "github.com/containerd/containerd/api/events"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

type stateOf = oracle.Namespace

// newcomer is a container that a guest creates, with the places in the journal
// of what it did: -1 for before the run.
type newcomer struct {
	ns, id, name       string
	target             digest.Digest
	prepared, recorded int
	of                 *imagestore.Image
}

// guestRun creates a container in the usual order: it looks the image up, takes
// a lease, prepares a snapshot, makes the record, and gives the lease up.
func (m *machine) guestRun(draft *prune.Plan) *guest {
	ns, record, ok := m.prey(draft)
	c := &newcomer{ns: ns, id: m.next("guest"), name: record.Name}
	ctx, done, sn := m.ctx, func() {}, m.client.SnapshotService(snapshotter)
	return &guest{name: "creates a container", parts: []func() bool{
		func() bool { return ok && m.looksUp(c) },
		func() bool { ctx, done = m.underLease(ns); return true },
		func() bool {
			chain := c.of.ChainIDs()
			_, err := sn.Prepare(ctx, c.id, chain[len(chain)-1])
			if errdefs.IsNotFound(err) {
				m.comesTooLate(c)
				done()
				return false
			}
			m.must(err)
			m.publish(ns, "/snapshot/prepare", &eventtypes.SnapshotPrepare{Key: c.id, Snapshotter: snapshotter})
			c.prepared = m.now("prepared " + c.id)
			return true
		},
		func() bool {
			m.recordContainer(ctx, c)
			c.recorded = m.now("recorded " + c.id)
			m.newcomers = append(m.newcomers, c)
			return true
		},
		func() bool { done(); return true },
	}}
}

// looksUp finds the image of a container to be, which has to be unpacked.
func (m *machine) looksUp(c *newcomer) bool {
	ctx := inNamespace(m.ctx, c.ns)
	found, err := m.store.Images().Get(ctx, c.name)
	img := m.shelf.byTarget[found.Target.Digest]
	if err != nil || img == nil {
		return false
	}
	if c.of, c.target = native(img), found.Target.Digest; c.of == nil {
		return false
	}
	chain := c.of.ChainIDs()
	_, err = m.store.Snapshotter(snapshotter).Stat(ctx, chain[len(chain)-1])
	return err == nil
}

// recordContainer writes a container as the clients do, each in its way.
func (m *machine) recordContainer(ctx context.Context, c *newcomer) {
	spec := imagestore.ContainerSpec{ID: c.id, Image: c.name}
	opts := []containerd.NewContainerOpts{containerd.WithSnapshotter(snapshotter), containerd.WithSnapshot(c.id)}
	if c.ns == criSpace {
		opts = append(opts, imagestore.WithCRIMetadata("app", "sandbox-of-"+c.id, c.of.Config.Desc.Digest.String()))
	} else {
		switch uniform(m.t, 5, "named by") {
		case 0:
			spec.Image = c.of.Target.Digest.String()
		case 1:
			spec.Image = c.of.Config.Desc.Digest.String()
		case 2:
			spec.Image = "" // as buildkit
		}
	}
	m.must(m.in(c.ns).Container(ctx, spec, opts...))
}

// comesTooLate judges that there is nothing to prepare a snapshot on.
func (m *machine) comesTooLate(c *newcomer) {
	m.blame(c.ns, c.target, "a container")
	if now, err := m.store.Images().Get(inNamespace(m.ctx, c.ns), c.name); err == nil && now.Target.Digest == c.target {
		m.errorf("I1: %s in %s is there, but not the snapshots that it had", c.name, c.ns)
	}
}

// holds says whether the run keeps what it has deleted of a target.
func (j *journal) holds(ns string, target digest.Digest) bool {
	for _, e := range j.entries {
		if e.ns == ns && (e.what == itFrees || e.what == itReleases || e.what == itUnlabels) {
			return false
		}
	}
	return j.deleted(ns, target, j.end())
}

// deleted says whether the run deleted a record of a target before a place.
func (j *journal) deleted(ns string, target digest.Digest, before int) bool {
	for _, e := range j.entries[:before] {
		if e.what == itDeletes && e.ns == ns && e.image.Target.Digest == target {
			return true
		}
	}
	return false
}

// guestRemove removes a container with its snapshot.
func (m *machine) guestRemove(*prune.Plan) *guest {
	return &guest{name: "removes a container", parts: []func() bool{func() bool {
		ns, c, ok := m.aContainer()
		if !ok || c.Labels["io.cri-containerd.kind"] == "sandbox" {
			return false
		}
		m.must(m.in(ns).RemoveContainer(m.ctx, c.ID))
		m.forget(ns, c)
		return true
	}}}
}

// forget takes a container that a guest has removed out of what was seen.
func (m *machine) forget(ns string, c containers.Container) {
	m.gone(ns, func(s *stateOf) {
		delete(s.Containers, c.ID)
		delete(s.Snapshots, oracle.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey})
	})
}

// gone changes what was seen of a namespace: a client has removed something of
// its own.
func (m *machine) gone(ns string, drop func(*stateOf)) {
	for _, s := range m.seen {
		if s.Namespaces[ns] != nil {
			drop(s.Namespaces[ns])
		}
	}
}
