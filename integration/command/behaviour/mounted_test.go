package behaviour_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What `ctr images mount` mounts has no container: its lease holds a view, or a
// writable snapshot, whose image stays by all its names until that lease is over.
func TestMountedByCtr(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	onDaemons(t, func(t *testing.T, s *subject) {
		for _, m := range []struct{ kind, flag string }{{"view", "--rw=false"}, {"writable snapshot", "--rw"}} {
			img := s.added("docker.io/library/"+m.flag[2:4]+":1", 2)
			s.must(s.Tag(s.ctx(), img.Name, img.Name+"b"))
			target := s.mountByCtr(img.Name, m.flag)
			p := s.prune("--all")
			p.wantNames("default", img.Name, img.Name+"b")
			wantAction(t, p.Document, img.Name, prune.Keep, fmt.Sprintf("in use by %s %s/%s, held by lease %q", m.kind, s.Snapshotter, target, target))
			p.wantReclaimed(0)

			s.must(mount.UnmountAll(target, 0), s.DropLease(s.ctx(), target, false))
			last := s.prune("--all")
			last.wantNames("default")
			wantAction(t, last.Document, img.Name, prune.Remove, "unused")
		}
	})
}

// mountByCtr mounts an image as a person would, and returns where.
func (s *subject) mountByCtr(image, flag string) (target string) {
	s.t.Helper()
	target = filepath.Join(s.t.TempDir(), "mount")
	s.must(os.Mkdir(target, 0o700))
	s.t.Cleanup(func() { s.must(mount.UnmountAll(target, 0)) })
	out, err := exec.CommandContext(s.ctx(), s.daemon.Ctr(), "--address", s.daemon.Address(), "--namespace", "default",
		"images", "mount", "--snapshotter", s.Snapshotter, flag, image, target).CombinedOutput()
	if err != nil {
		s.t.Fatalf("ctr images mount: %v\n%s", err, out)
	}
	return target
}

// What drivers of images, virtual machines and scanners mount is held by a label
// on the snapshot or by a lease without an expiry: the image stays, in k8s.io by
// all its names, elsewhere by one.
func TestMountedByOthers(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		all := []mounted{
			{name: "rooted-view", kind: "view"}, {name: "rooted-disk", kind: "writable snapshot"},
			{name: "leased-view", kind: "view", lease: "csi-image"}, {name: "leased-disk", kind: "writable snapshot", lease: "vm"},
		}
		for _, m := range all {
			for _, namespace := range []string{"k8s.io", "elsewhere"} {
				store, img := s.In(namespace), s.image(m.image(), 2)
				s.must(store.Add(s.ctx(), img), m.mount(s, store, img))
			}
			s.must(s.In("k8s.io").Tag(s.ctx(), m.image(), m.image()+"b"))
		}
		p := s.prune("--all", "--all-namespaces")
		p.wantReclaimed(0)
		if left := names(p.after, "k8s.io"); len(left) != 2*len(all) {
			t.Errorf("names left in k8s.io: %q", left)
		}
		if left := names(p.after, "elsewhere"); len(left) != len(all) {
			t.Errorf("names left elsewhere: %q", left)
		}
		for _, d := range p.Images {
			if d.Namespace == "k8s.io" && (d.Action != prune.Keep || d.ReasonCode != "in-use") {
				t.Errorf("%s in k8s.io: %s, because %s", d.Name, d.Action, d.Reason)
			}
		}
		for _, m := range all { // elsewhere, which comes first
			wantAction(t, p.Document, m.image(), prune.StandIn, fmt.Sprintf("in use by %s %s/%s, %s", m.kind, s.Snapshotter, m.name, m.because()))
		}
	})
}

// mounted is a snapshot on an image that a lease or a label holds.
type mounted struct{ name, kind, lease string }

func (m mounted) image() string { return "docker.io/library/" + m.name + ":1" }

func (m mounted) because() string {
	if m.lease == "" {
		return "kept by its label containerd.io/gc.root"
	}
	return fmt.Sprintf("held by lease %q", m.lease)
}

func (m mounted) mount(s *subject, store imagestore.Store, img *imagestore.Image) error {
	ctx := store.Context(s.ctx())
	var labels map[string]string
	if m.lease == "" {
		labels = map[string]string{"containerd.io/gc.root": "2026-11-28T16:00:00Z"}
	} else if err := store.Lease(s.ctx(), imagestore.LeaseSpec{ID: m.lease}); err != nil {
		return err
	} else {
		ctx = leases.WithLease(ctx, m.lease)
	}
	sn := s.Client.SnapshotService(store.Snapshotter)
	create := sn.View
	if m.kind != "view" {
		create = sn.Prepare
	}
	_, err := create(ctx, m.name, img.ChainIDs()[1], snapshots.WithLabels(labels))
	return err
}
