package model

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// guest is a client at work while a run lasts. Its work has parts, and between
// them anything may happen.
type guest struct {
	name string
	// parts are left to be done. One that returns false gives the rest up.
	parts []func() bool
	// landmark and calls say when the next part is due: so many calls of the
	// run after the landmark was reached, "" for its beginning.
	landmark string
	calls    int
	// hurried is one that does the parts in one go.
	hurried bool
}

// do does the next part.
func (g *guest) do() {
	part := g.parts[0]
	g.parts = g.parts[1:]
	if !part() {
		g.parts = nil
	}
}

// prey is a record to be meddled with: mostly one that the run is to remove.
func (m *machine) prey(draft *prune.Plan) (ns string, record images.Image, ok bool) {
	var going []prune.Decision
	for _, d := range draft.Decisions {
		if d.Action != prune.Keep {
			going = append(going, d)
		}
	}
	if len(going) > 0 && !oneIn(m.t, 3, "any") {
		d := pick(m.t, going, "prey")
		return d.Namespace, images.Image{Name: d.Name, Target: d.Target}, true
	}
	ns = m.space()
	record, ok = m.aRecord(ns)
	return ns, record, ok
}

// guestPull pulls: a lease, blobs, snapshots, and the records at last. CRI
// makes its other two after that, without the lease, unless they are right.
func (m *machine) guestPull(draft *prune.Plan) *guest {
	ns, record, ok := m.prey(draft)
	img := m.shelf.byTarget[record.Target.Digest]
	names := []string{record.Name}
	if !ok || img == nil || oneIn(m.t, 3, "another image") {
		was := ns
		ns = m.space()
		img, names = m.anImage(ns)
		if ok && ns == was && ns != criSpace {
			names = []string{record.Name} // it moves
		}
	} else if i := strings.LastIndex(record.Name, ":"); ns == criSpace && img.Children == nil {
		names = imagestore.CRINames(pick(m.t, repositories, "repository"), pick(m.t, tags, "tag"), img)
		if !strings.Contains(record.Name, "sha256:") {
			names = imagestore.CRINames(record.Name[:i], record.Name[i+1:], img)
		}
	}
	ctx, done, s := m.ctx, func() {}, m.in(ns)
	g := &guest{name: "pulls"}
	g.parts = append(g.parts,
		func() bool { ctx, done = m.underLease(ns); return true },
		func() bool { m.must(s.Write(ctx, img)); return true },
		func() bool { m.must(s.Unpack(ctx, img)); return true },
		func() bool { m.put(ctx, ns, names[0], img.Target, false); return true },
		func() bool { done(); return true },
	)
	for _, name := range names[1:] {
		g.parts = append(g.parts, func() bool { m.putLate(ns, name, img.Target, true); return true })
	}
	return g
}

// underLease takes the lease that containerd's client works under.
func (m *machine) underLease(ns string) (context.Context, func()) {
	ctx, done, err := m.client.WithLease(inNamespace(m.ctx, ns))
	m.must(err)
	return ctx, func() {
		m.must(done(inNamespace(m.ctx, ns)))
		id, _ := leases.FromContext(ctx)
		m.gone(ns, func(s *stateOf) { delete(s.Leases, id) })
	}
}

// put makes or moves a record, as pulls and tags do. One that is right already
// is written again unless the client spares itself that.
func (m *machine) put(ctx context.Context, ns, name string, target ocispec.Descriptor, spare bool) {
	ctx = inNamespace(ctx, ns)
	target.Platform = nil
	made := images.Image{Name: name, Target: target}
	now, err := m.store.Images().Create(ctx, made)
	if err == nil {
		m.wrote(ns, name, images.Image{}, now)
		return
	}
	if !errdefs.IsAlreadyExists(err) {
		m.must(err)
	}
	was, err := m.store.Images().Get(ctx, name)
	m.must(err)
	if spare && was.Target.Digest == target.Digest {
		return
	}
	now, err = m.store.Images().Update(ctx, made, "target")
	m.must(err)
	m.wrote(ns, name, was, now)
}

// guestTag looks an image up and then gives it a name, which others may have.
func (m *machine) guestTag(draft *prune.Plan) *guest {
	ns, from, ok := m.prey(draft)
	to := m.name()
	others := slices.DeleteFunc(going(draft), func(d prune.Decision) bool { return d.Namespace != ns })
	if len(others) > 0 && ns != criSpace && !oneIn(m.t, 3, "a free name") {
		to = pick(m.t, others, "a name that is taken").Name
	}
	var target ocispec.Descriptor
	return &guest{name: "tags", parts: []func() bool{
		func() bool {
			found, err := m.store.Images().Get(inNamespace(m.ctx, ns), from.Name)
			target = found.Target
			return ok && err == nil
		},
		func() bool {
			m.putLate(ns, to, target, false)
			return true
		},
	}}
}

// putLate names an image that nothing keeps for this client. If it is gone by
// then, so is the name.
func (m *machine) putLate(ns, to string, target ocispec.Descriptor, spare bool) {
	m.put(m.ctx, ns, to, target, spare)
	if !m.whole(ns, target) {
		m.blame(ns, target.Digest, "a name")
		m.must(m.in(ns).Untag(m.ctx, to))
		m.wrote(ns, to, images.Image{Name: to, Target: target}, images.Image{})
	}
}

// whole says whether all blobs of an image are there.
func (m *machine) whole(ns string, target ocispec.Descriptor) bool {
	img := m.shelf.byTarget[target.Digest]
	if img == nil {
		return true
	}
	for _, b := range img.Blobs() {
		if _, err := m.store.Content().Info(inNamespace(m.ctx, ns), b.Desc.Digest); err != nil {
			return false
		}
	}
	return true
}

// blame judges the loss of an image that a client had looked up. Nobody keeps
// it for that, and any removal may come in between: by another client, or by
// the run once it has let go. Until then what the run deleted is all there, but
// for the snapshots that only build history holds.
func (m *machine) blame(ns string, target digest.Digest, whose string) {
	m.tally.add("came too late: "+whose, 1)
	if j := m.journal; j != nil && j.holds(ns, target) {
		m.errorf("I7: the run in %s had not let go of %s, but it was not there for %s", ns, target, whose)
	}
}

func (m *machine) guestUntag(draft *prune.Plan) *guest {
	ns, record, ok := m.prey(draft)
	return &guest{name: "untags", parts: []func() bool{func() bool {
		was, err := m.store.Images().Get(inNamespace(m.ctx, ns), record.Name)
		if !ok || err != nil {
			return false
		}
		m.must(m.in(ns).Untag(m.ctx, record.Name))
		m.wrote(ns, record.Name, was, images.Image{})
		return true
	}}}
}

// guestPin writes labels: of the collector's none, so that nothing is held by
// them but by what they say to pruners.
func (m *machine) guestPin(draft *prune.Plan) *guest {
	ns, record, ok := m.prey(draft)
	label := pick(m.t, []string{imagestore.LabelPinned, "ctr-prune/keep"}, "label")
	return &guest{name: "pins", parts: []func() bool{func() bool {
		was, err := m.store.Images().Get(inNamespace(m.ctx, ns), record.Name)
		if !ok || err != nil {
			return false
		}
		m.must(m.in(ns).Label(m.ctx, record.Name, map[string]string{label: "pinned"}))
		now, err := m.store.Images().Get(inNamespace(m.ctx, ns), record.Name)
		m.must(err)
		m.wrote(ns, record.Name, was, now)
		return true
	}}}
}

// guestLease takes a lease on something, and mostly gives it up again.
func (m *machine) guestLease(*prune.Plan) *guest {
	ns, id := m.space(), m.next("guest")
	g := &guest{name: "takes a lease", parts: []func() bool{func() bool {
		spec := imagestore.LeaseSpec{ID: id, Flat: oneIn(m.t, 3, "flat"), Expires: m.expiry()}
		list := m.holdableBy(ns, spec.Flat)
		if len(list) == 0 {
			return false
		}
		spec.Resources = resources(pick(m.t, list, "holds"))
		m.now(fmt.Sprintf("in %s %+v", ns, spec))
		m.must(m.in(ns).Lease(m.ctx, spec))
		m.held(ns, id)
		return true
	}}}
	if !oneIn(m.t, 3, "for a while") {
		g.parts = append(g.parts, func() bool {
			m.must(m.in(ns).DropLease(m.ctx, id, false))
			m.gone(ns, func(s *stateOf) { delete(s.Leases, id) })
			return true
		})
	}
	return g
}

// guestDrop drops a lease that is there already.
func (m *machine) guestDrop(*prune.Plan) *guest {
	ns := m.space()
	list, err := m.store.Leases().List(inNamespace(m.ctx, ns))
	m.must(err)
	list = slices.DeleteFunc(list, func(l leases.Lease) bool {
		kind := ours.KindOf(l)
		return kind == ours.KindRun || kind == ours.KindClaim || kind == ours.KindGrace
	})
	return &guest{name: "drops a lease", parts: []func() bool{func() bool {
		if len(list) == 0 {
			return false
		}
		id := pick(m.t, list, "lease").ID
		sync := oneIn(m.t, 2, "collect")
		err := m.collecting(func() error { return m.in(ns).DropLease(m.ctx, id, sync) })
		if err != nil {
			return false // it was over
		}
		m.gone(ns, func(s *stateOf) { delete(s.Leases, id) })
		return true
	}}}
}

// guestCollect is containerd's own collection: it comes when it likes.
func (m *machine) guestCollect(*prune.Plan) *guest {
	return &guest{name: "collects", parts: []func() bool{func() bool {
		m.must(m.collecting(func() error { return m.in("default").Collect(m.ctx) }))
		return true
	}}}
}
