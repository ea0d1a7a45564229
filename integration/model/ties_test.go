package model

import (
	"context"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// Labels by which the collector decides about records.
const (
	gcExpire = "containerd.io/gc.expire"
	gcRoot   = "containerd.io/gc.root"
	gcRef    = "containerd.io/gc.ref.image"
	gcBref   = "containerd.io/gc.bref."
)

// importBundle is what `ctr images import --index-name` does: one record is that
// of the index, and all other names live as long as it does.
func (m *machine) importBundle() bool {
	if !m.tied {
		return false
	}
	ns, base := m.space(), m.name()
	m.must(m.in(ns).Add(m.ctx, m.shelf.bundle, base))
	for _, one := range m.shelf.bundle.Children {
		if name := m.name(); name != base {
			m.put(m.ctx, ns, name, one.Target, false)
			m.label(ns, name, map[string]string{gcExpire: rfc(time.Now()), gcBref + "image": base})
		}
	}
	time.Sleep(time.Millisecond) // their own time is over
	return true
}

func rfc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// label writes labels of a record; an empty value takes one away.
func (m *machine) label(ns, name string, labels map[string]string) {
	m.t.Helper()
	m.must(m.in(ns).Label(m.ctx, name, labels))
}

// tie gives a record an end, and mostly something else whose end that is.
func (m *machine) tie() bool {
	ns := m.space()
	record, ok := m.aRecord(ns)
	if !ok || !m.tied {
		return false
	}
	if oneIn(m.t, 2, "another name") {
		name := m.name()
		m.put(m.ctx, ns, name, record.Target, false)
		record.Name = name
	}
	m.label(ns, record.Name, m.someTie(ns))
	time.Sleep(time.Millisecond)
	return true
}

// someTie is what a client may write: one end, and any number of ties.
func (m *machine) someTie(ns string) map[string]string {
	end := time.Now().Add(pick(m.t, []time.Duration{0, 0, 0, -time.Hour, 30 * time.Minute, 24 * time.Hour}, "ends in"))
	labels := map[string]string{gcExpire: rfc(end)}
	if oneIn(m.t, 12, "unreadable") {
		labels[gcExpire] = "soon"
	}
	for range pick(m.t, []int{0, 1, 1, 1, 1, 2}, "ties") {
		if key, to, ok := m.someHold(ns); ok {
			labels[gcBref+key+pick(m.t, []string{"", "", ".x", "/x", "ious"}, "suffix")] = to
		}
	}
	return labels
}

// someHold is an object that a record can be tied to: mostly another record.
func (m *machine) someHold(ns string) (key, value string, ok bool) {
	list := m.holdable(ns)
	for _, c := range m.containers(ns) {
		list = append(list, leases.Resource{Type: "container", ID: c.ID})
	}
	if record, there := m.aRecord(ns); there && !oneIn(m.t, 4, "not a record") {
		return "image", record.Name, true
	}
	if len(list) == 0 {
		return "", "", false
	}
	if oneIn(m.t, 6, "to nothing") {
		return "image", "gone.example/never:1", true
	}
	switch r := pick(m.t, list, "tied to"); r.Type {
	case "content", "container":
		return r.Type, r.ID, true
	default:
		return "snapshot." + snapshotter, r.ID, true
	}
}

func (m *machine) containers(ns string) []containers.Container {
	m.t.Helper()
	list, err := m.store.Containers().List(inNamespace(m.ctx, ns))
	m.must(err)
	return list
}

// untie frees a record: it stays until somebody removes it, and what it lived by
// may go.
func (m *machine) untie() bool {
	ns := m.space()
	for _, record := range m.records(ns) {
		if record.Labels[gcExpire] != "" && !oneIn(m.t, 3, "another") {
			m.label(ns, record.Name, map[string]string{gcExpire: ""})
			return true
		}
	}
	return false
}

// markRoot marks a record as one to be kept, in the words that the collector has
// for content and snapshots.
func (m *machine) markRoot() bool {
	ns := m.space()
	record, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	m.label(ns, record.Name, map[string]string{gcRoot: "yes"})
	m.rootAdded = true
	return true
}

// refer writes down at an object that it needs a record.
func (m *machine) refer() bool {
	ns := m.space()
	record, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	labels := map[string]string{gcRef + pick(m.t, []string{"", ".x", "/x"}, "suffix"): record.Name}
	by := pick(m.t, []func(string, map[string]string) bool{
		m.containerRefers, m.containerRefers, m.recordRefers, m.blobRefers, m.snapshotRefers, m.sandboxRefers,
	}, "by")
	if !by(ns, labels) {
		return false
	}
	m.rootAdded = true
	return true
}

func (m *machine) containerRefers(ns string, labels map[string]string) bool {
	list := m.containers(ns)
	if len(list) == 0 {
		return false
	}
	c := pick(m.t, list, "container")
	c.Labels = labels
	_, err := m.store.Containers().Update(inNamespace(m.ctx, ns), c, fields(labels)...)
	m.must(err)
	return true
}

func (m *machine) recordRefers(ns string, labels map[string]string) bool {
	record, ok := m.aRecord(ns)
	if ok {
		m.label(ns, record.Name, labels)
	}
	return ok
}

func (m *machine) blobRefers(ns string, labels map[string]string) bool {
	record, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	_, err := m.store.Content().Update(inNamespace(m.ctx, ns), content.Info{Digest: record.Target.Digest, Labels: labels}, fields(labels)...)
	m.must(err)
	return true
}

func (m *machine) snapshotRefers(ns string, labels map[string]string) bool {
	ctx, sn := inNamespace(m.ctx, ns), m.store.Snapshotter(snapshotter)
	var list []snapshots.Info
	m.must(sn.Walk(ctx, func(_ context.Context, info snapshots.Info) error { list = append(list, info); return nil }))
	if len(list) == 0 {
		return false
	}
	_, err := sn.Update(ctx, snapshots.Info{Name: pick(m.t, list, "snapshot").Name, Labels: labels}, fields(labels)...)
	m.must(err)
	return true
}

func (m *machine) sandboxRefers(ns string, labels map[string]string) bool {
	ctx := inNamespace(m.ctx, ns)
	list, err := m.store.Sandboxes().List(ctx)
	m.must(err)
	if len(list) == 0 {
		return false
	}
	box := pick(m.t, list, "sandbox")
	box.Labels = labels
	_, err = m.store.Sandboxes().Update(ctx, box, fields(labels)...)
	m.must(err)
	return true
}

// fields are the paths of labels, for an update of these only.
func fields(labels map[string]string) (paths []string) {
	for _, key := range sorted(labels) {
		paths = append(paths, "labels."+key)
	}
	return paths
}

// leaseConfig is a lease of a client that nobody knows: it holds a config, and
// by that its snapshots, for good.
func (m *machine) leaseConfig() bool {
	ns := m.space()
	_, of := m.runnable(ns)
	if of == nil {
		return false
	}
	m.must(m.in(ns).Lease(m.ctx, imagestore.LeaseSpec{
		ID: m.next("theirs"), Resources: resources(imagestore.ContentResource(of.Config.Desc.Digest)),
	}))
	m.rootAdded = true
	return true
}
