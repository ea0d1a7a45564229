package cri_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/prune"
)

// found returns what a check finds of one problem.
func found(t *testing.T, n *cri.Node, problem prune.Problem) []prune.Finding {
	t.Helper()
	store, err := prune.Open(t.Context(), n.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := prune.Check(t.Context(), store, time.Now(), prune.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all.Findings, func(f prune.Finding) bool { return f.Problem != problem })
}

// An image whose records somebody deletes leaves a phantom, until containerd is
// started again, if one of them had another name than CRI has for it.
func TestCheckFindsPhantoms(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		img := n.Image()
		n.Add(img, "nginx:1")
		if phantoms := found(t, n, prune.ProblemPhantom); len(phantoms) != 0 {
			t.Errorf("before anything is gone: %+v", phantoms)
		}
		records := slices.Sorted(maps.Keys(n.Capture().Namespaces[cri.Namespace].Images))
		if err := n.Store(cri.Namespace).Untag(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		phantoms := found(t, n, prune.ProblemPhantom)
		if len(phantoms) != 1 || phantoms[0].Object != img.Config.Desc.Digest.String() || !strings.Contains(phantoms[0].Fix, "restart containerd") {
			t.Fatalf("found %+v, want the image %s", phantoms, img.Config.Desc.Digest)
		}
		n.Restart()
		if phantoms := found(t, n, prune.ProblemPhantom); len(phantoms) != 0 {
			t.Errorf("after a restart: %+v", phantoms)
		}
	})
}

// A container of which nobody can say what image it uses is reported, because
// nothing is removed beside it.
func TestCheckFindsUnreadableUsers(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		n.Pulled("docker.io/library/app", "1")
		id := n.Pod("api").Run(cri.Container{Name: "app", Image: "app:1"})
		if users := found(t, n, prune.ProblemUnreadable); len(users) != 0 {
			t.Errorf("before anything is broken: %+v", users)
		}
		s := n.Store(cri.Namespace)
		broken := containers.Container{ID: id, Extensions: map[string]typeurl.Any{criExtension: &anypb.Any{TypeUrl: "broken", Value: []byte("{")}}}
		if _, err := s.Client.ContainerService().Update(s.Context(t.Context()), broken, "extensions."+criExtension); err != nil {
			t.Fatal(err)
		}
		users := found(t, n, prune.ProblemUnreadable)
		if len(users) != 1 || users[0].Namespace != cri.Namespace || !strings.Contains(users[0].Meaning, id) {
			t.Errorf("found %+v, want what container %s uses", users, id)
		}
	})
}
