package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	ours "github.com/ctr-prune/ctr-prune/leases"
)

// holdable lists what a lease could hold in a namespace besides records, but for
// the plans of runs: nobody else wants them.
func (m *machine) holdable(ns string) []leases.Resource {
	ctx := inNamespace(m.ctx, ns)
	var list []leases.Resource
	m.must(m.store.Content().Walk(ctx, func(info content.Info) error {
		if info.Labels["ctr-prune/plan"] == "" {
			list = append(list, imagestore.ContentResource(info.Digest))
		}
		return nil
	}))
	m.must(m.store.Snapshotter(snapshotter).Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		list = append(list, m.in(ns).SnapshotResource(info.Name))
		return nil
	}))
	return list
}

// holdableBy lists it with the records. Where their time may be over, a flat lease
// would leave them without what they are made of.
func (m *machine) holdableBy(ns string, flat bool) []leases.Resource {
	list := m.holdable(ns)
	if flat && m.tied {
		return list
	}
	for _, record := range m.records(ns) {
		list = append(list, leases.Resource{Type: "images", ID: record.Name})
	}
	return list
}

// takeLease holds some things, for a while or for good, with what they refer
// to or without.
func (m *machine) takeLease() bool {
	ns := m.space()
	spec := imagestore.LeaseSpec{ID: m.next("lease"), Flat: oneIn(m.t, 3, "flat")}
	list := m.holdableBy(ns, spec.Flat)
	if len(list) == 0 {
		return false
	}
	if !oneIn(m.t, 3, "for good") {
		spec.Expires = m.expiry()
	}
	for range 1 + uniform(m.t, 2, "more") {
		spec.Resources = append(spec.Resources, pick(m.t, list, "holds"))
	}
	m.must(m.in(ns).Lease(m.ctx, spec))
	m.rootAdded = true
	return true
}

// dropLease drops one that no run needs any more, be it a grace: what that one
// kept in this namespace an undo of its run does not put back.
func (m *machine) dropLease() bool {
	ns := m.space()
	list, err := m.store.Leases().List(inNamespace(m.ctx, ns))
	m.must(err)
	theirs := slices.DeleteFunc(list, func(lease leases.Lease) bool { return ours.KindOf(lease).Ours() })
	if len(theirs) == 0 {
		return false
	}
	lease := pick(m.t, theirs, "lease")
	m.must(m.in(ns).DropLease(m.ctx, lease.ID, oneIn(m.t, 2, "collect")))
	if run, ok := ours.GraceOf(lease); ok {
		m.graces[run].givenUp(ns)
	}
	return true
}

// wait lets time pass: leases and uploads expire, images get old.
func (m *machine) wait() bool {
	time.Sleep(pick(m.t, []time.Duration{time.Minute, time.Hour, 26 * time.Hour, 4 * 24 * time.Hour}, "for"))
	return true
}

// waitABit lets as much time pass as a plan may wait for its answer.
func (m *machine) waitABit() bool {
	time.Sleep(40 * time.Minute)
	return true
}

// uploaded is what uploads bring, by their reference.
func uploaded(ref string) []byte { return bytes.Repeat([]byte("what "+ref+" brings\n"), 20) }

func (m *machine) startUpload() bool {
	ref := m.next("upload")
	_, err := m.in(m.space()).Ingest(m.ctx, ref, uploaded(ref))
	m.must(err)
	return true
}

// anUpload chooses an unfinished one that a client of ours has started.
func (m *machine) anUpload() (ctx context.Context, status content.Status, ok bool) {
	for _, ns := range spaces {
		ctx = inNamespace(m.ctx, ns)
		list, err := m.store.Content().ListStatuses(ctx)
		m.must(err)
		if len(list) > 0 && !oneIn(m.t, 3, "another") {
			return ctx, pick(m.t, list, "upload"), true
		}
	}
	return ctx, content.Status{}, false
}

// finishUpload brings the rest. Nothing refers to the blob then, but perhaps a
// label of its own.
func (m *machine) finishUpload() bool {
	ctx, status, ok := m.anUpload()
	data := uploaded(status.Ref)
	if !ok || !strings.HasPrefix(status.Ref, "upload-") {
		return false // it may be the plan of a run that was killed
	}
	m.must(m.finish(ctx, status.Ref, data))
	return true
}

func (m *machine) finish(ctx context.Context, ref string, data []byte) error {
	expected := digest.FromBytes(data)
	w, err := m.store.Content().Writer(ctx, content.WithRef(ref),
		content.WithDescriptor(ocispec.Descriptor{Digest: expected, Size: int64(len(data))}))
	if err != nil {
		return fmt.Errorf("going on with an upload: %w", err)
	}
	now, err := w.Status()
	if err == nil {
		_, err = io.Copy(w, bytes.NewReader(data[now.Offset:]))
	}
	if err == nil {
		var opts []content.Opt
		if oneIn(m.t, 2, "for its own sake") {
			opts = append(opts, content.WithLabels(map[string]string{"containerd.io/gc.root": "yes"}))
		}
		err = w.Commit(ctx, int64(len(data)), expected, opts...)
	}
	if errdefs.IsAlreadyExists(err) {
		err = nil
	}
	return errors.Join(err, w.Close())
}

func (m *machine) abortUpload() bool {
	ctx, status, ok := m.anUpload()
	if !ok {
		return false
	}
	m.must(m.store.Content().Abort(ctx, status.Ref))
	return true
}
