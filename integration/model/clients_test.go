package model

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

func (m *machine) space() string { return pick(m.t, spaces, "namespace") }

func (m *machine) name() string {
	return pick(m.t, repositories, "repository") + ":" + pick(m.t, tags, "tag")
}

// anImage is one of the catalog, with the names that a client would give it.
func (m *machine) anImage(ns string) (*imagestore.Image, []string) {
	img := pick(m.t, m.shelf.images, "image")
	repository, tag := pick(m.t, repositories, "repository"), pick(m.t, tags, "tag")
	if ns == criSpace && img.Children == nil {
		return img, imagestore.CRINames(repository, tag, img)
	}
	return img, []string{repository + ":" + tag}
}

// pull takes an image in under a lease, as clients do. CRI makes three records.
func (m *machine) pull() bool {
	ns := m.space()
	img, names := m.anImage(ns)
	m.must(m.in(ns).Add(m.ctx, img, names...))
	return true
}

// pullSome leaves a pull in the middle: its lease holds what has come so far.
func (m *machine) pullSome() bool {
	img := pick(m.t, m.shelf.images, "image")
	m.must(m.in(m.space()).PullLease(m.ctx, m.next("pull"), m.expiry(), img))
	return true
}

// pullSignature takes in an artifact about an image, under the tag by which
// older tools find it.
func (m *machine) pullSignature() bool {
	i := pick(m.t, []int{2, 5}, "of")
	name := pick(m.t, repositories, "repository") + ":" + imagestore.SignatureTag(m.shelf.images[i], "sig")
	m.must(m.in(m.space()).Write(m.ctx, m.shelf.signatures[i], name))
	return true
}

// importImage is what `ctr image import` does.
func (m *machine) importImage() bool {
	ns := pick(m.t, []string{"default", "other"}, "namespace")
	m.must(m.in(ns).Import(m.ctx, pick(m.t, m.shelf.images, "image"), m.name()))
	return true
}

// build is what buildkit does: an image with a name or none, a flat lease that
// caches its snapshot, and a history that holds its config.
func (m *machine) build() bool {
	ns := pick(m.t, []string{"default", "other"}, "namespace")
	s, img := m.in(ns), pick(m.t, m.shelf.images, "image")
	name := m.name()
	if oneIn(m.t, 3, "without a name") {
		name = imagestore.NoneDangling(img.Target.Digest)
	}
	m.must(s.Add(m.ctx, img, name))
	one := native(img)
	if one == nil {
		return true
	}
	if oneIn(m.t, 2, "cache") {
		chain := one.ChainIDs()
		m.must(s.Lease(m.ctx, imagestore.LeaseSpec{ID: m.next("cache"), Flat: true, Resources: resources(
			s.SnapshotResource(chain[len(chain)-1]), imagestore.ContentResource(one.Layers[0].Desc.Digest),
		)}))
	}
	switch uniform(m.t, 4, "history") {
	case 0:
		m.must(s.HistoryLease(m.ctx, m.next("build"), one))
	case 1:
		kept := one
		for _, l := range one.Layers {
			kept = kept.Without(l.Desc.Digest)
		}
		m.must(s.In(ns+historyOf).PullLease(m.ctx, imagestore.HistoryID(m.next("build")), never, kept))
	case 2: // of a client that nobody knows, which wants the snapshots too
		m.must(s.Lease(m.ctx, imagestore.LeaseSpec{ID: m.next("ref"), Resources: resources(imagestore.ContentResource(one.Config.Desc.Digest))}))
	}
	return true
}

// records lists those of a namespace, sorted by name.
func (m *machine) records(ns string) []images.Image {
	m.t.Helper()
	list, err := m.store.Images().List(inNamespace(m.ctx, ns))
	m.must(err)
	return list
}

// aRecord is any of a namespace; ok is false if there is none.
func (m *machine) aRecord(ns string) (images.Image, bool) {
	list := m.records(ns)
	if len(list) == 0 {
		return images.Image{}, false
	}
	return pick(m.t, list, "record"), true
}

// tag gives an image another name, or moves the name if another has it.
func (m *machine) tag() bool {
	ns := m.space()
	from, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	m.must(m.in(ns).Tag(m.ctx, from.Name, m.name()))
	return true
}

// leaveDangling takes the name from an image as nerdctl and docker do: a record
// that nobody would type keeps it.
func (m *machine) leaveDangling() bool {
	ns := pick(m.t, []string{"default", "other"}, "namespace")
	from, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	d := from.Target.Digest
	name := pick(m.t, []string{imagestore.NoneDangling(d), imagestore.MobyDangling(d), imagestore.SnapshotterDangling("overlayfs", d), ":" + d.String()}, "as")
	if name == from.Name {
		return false
	}
	m.must(m.in(ns).Tag(m.ctx, from.Name, name))
	m.must(m.in(ns).Untag(m.ctx, from.Name))
	return true
}

// untag removes a record, as anybody may.
func (m *machine) untag() bool {
	ns := m.space()
	record, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	m.must(m.in(ns).Untag(m.ctx, record.Name))
	return true
}

// pin marks a record as one to keep, or takes the mark off.
func (m *machine) pin() bool {
	ns := m.space()
	record, ok := m.aRecord(ns)
	if !ok {
		return false
	}
	label := pick(m.t, []string{imagestore.LabelPinned, "ctr-prune/keep"}, "label")
	value := ""
	if record.Labels[label] == "" {
		value = "pinned"
		m.rootAdded = true
	}
	err := m.in(ns).Label(m.ctx, record.Name, map[string]string{label: value})
	if err != nil && !errdefs.IsNotFound(err) {
		m.t.Fatal(fmt.Errorf("pinning: %w", err))
	}
	return true
}
