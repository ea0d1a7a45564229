package model

import (
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// never is the expiry of leases without one.
var never time.Time

func resources(list ...leases.Resource) []leases.Resource { return list }

func (m *machine) expiry() time.Time {
	return time.Now().Add(pick(m.t, []time.Duration{30 * time.Minute, 24 * time.Hour}, "expires in"))
}

// runnable chooses a record of an image that is unpacked.
func (m *machine) runnable(ns string) (name string, of *imagestore.Image) {
	var names []string
	found := map[string]*imagestore.Image{}
	for _, record := range m.records(ns) {
		img := m.shelf.byTarget[record.Target.Digest]
		if img == nil {
			continue
		}
		one := native(img)
		if one == nil {
			continue // an artifact, or for another machine
		}
		chain := one.ChainIDs()
		if _, err := m.store.Snapshotter(snapshotter).Stat(inNamespace(m.ctx, ns), chain[len(chain)-1]); err == nil {
			names, found[record.Name] = append(names, record.Name), one
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	name = pick(m.t, names, "run")
	return name, found[name]
}

// run makes a container with its snapshot on the image's. Clients differ in
// what they write down of the image.
func (m *machine) run() bool {
	ns := m.space()
	name, of := m.runnable(ns)
	if of == nil {
		return false
	}
	id, s := m.next("c"), m.in(ns)
	m.rootAdded = true
	if ns == criSpace {
		m.must(s.CRIContainer(m.ctx, id, name, of))
		return true
	}
	switch uniform(m.t, 5, "named by") {
	case 0:
		name = of.Target.Digest.String()
	case 1:
		name = of.Config.Desc.Digest.String()
	case 2:
		name = "" // as buildkit
	case 3:
		record, err := m.store.Images().Get(inNamespace(m.ctx, ns), name)
		m.must(err)
		m.must(s.NerdctlContainer(m.ctx, id, id, name, of))
		if oneIn(m.t, 2, "notes the digest") {
			m.noteDigest(ns, id, record.Target.Digest)
		}
		return true
	}
	m.must(s.Container(m.ctx, imagestore.ContainerSpec{ID: id, Image: name, Of: of}))
	return true
}

// noteDigest is what later releases of nerdctl write down, too.
func (m *machine) noteDigest(ns, id string, d digest.Digest) {
	c := containers.Container{ID: id, Labels: map[string]string{"nerdctl/image-digest": d.String()}}
	_, err := m.store.Containers().Update(inNamespace(m.ctx, ns), c, "labels.nerdctl/image-digest")
	m.must(err)
}

// runPod makes a pod's sandbox: its container names the pause image, which is
// there, pinned.
func (m *machine) runPod() bool {
	s, pause := m.in(criSpace), m.shelf.pause
	names := imagestore.CRINames("registry.k8s.io/pause", "3.10", pause)
	m.must(s.Add(m.ctx, pause, names...))
	for _, name := range names {
		if oneIn(m.t, 2, "pinned") {
			m.must(s.Pin(m.ctx, name))
		}
	}
	id, wants := m.next("pod"), names[0]
	if record, ok := m.aRecord(criSpace); ok {
		wants = record.Name
	}
	m.must(s.Container(m.ctx, imagestore.ContainerSpec{
		ID: id, Image: names[0], Of: pause, Labels: podLabels(id, wants),
	}))
	_, err := m.store.Sandboxes().Create(inNamespace(m.ctx, criSpace), sandbox.Sandbox{ID: id})
	m.must(err)
	return true
}

func (m *machine) aContainer() (ns string, c containers.Container, ok bool) {
	for _, ns := range spaces {
		list, err := m.store.Containers().List(inNamespace(m.ctx, ns))
		m.must(err)
		if len(list) > 0 && !oneIn(m.t, 3, "another") {
			return ns, pick(m.t, list, "container"), true
		}
	}
	return "", c, false
}

// stop is what nerdctl writes down of a stopped container.
func (m *machine) stop() bool {
	ns, c, ok := m.aContainer()
	if !ok {
		return false
	}
	c.Labels = map[string]string{"containerd.io/restart.explicitly-stopped": "true"}
	_, err := m.store.Containers().Update(inNamespace(m.ctx, ns), c, "labels.containerd.io/restart.explicitly-stopped")
	m.must(err)
	return true
}

func (m *machine) removeContainer() bool {
	ns, c, ok := m.aContainer()
	if !ok {
		return false
	}
	m.must(m.in(ns).RemoveContainer(m.ctx, c.ID))
	if c.Labels["io.cri-containerd.kind"] == "sandbox" {
		m.must(m.store.Sandboxes().Delete(inNamespace(m.ctx, ns), c.ID))
	}
	return true
}

// forgetSnapshot removes a container and leaves its writable snapshot.
func (m *machine) forgetSnapshot() bool {
	ns, c, ok := m.aContainer()
	if !ok || c.Labels["io.cri-containerd.kind"] == "sandbox" {
		return false
	}
	m.must(m.store.Containers().Delete(inNamespace(m.ctx, ns), c.ID))
	return true
}
