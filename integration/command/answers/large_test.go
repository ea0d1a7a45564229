package answers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A store of pulls of Kubernetes, each with three names of 300 characters, and what
// containerd may send in one answer: as with 18,000 pulls and the default of 16 MiB.
const (
	largeNames = 300
	maxAnswer  = 256 << 10
)

// pulled names one image as CRI does: by tag, by digest, and, as there is one ID
// record for an image, by another registry's digest.
func pulled(i int) []string {
	repo := fmt.Sprintf("registry.example/%s/app-%d", strings.Repeat("long/", 40), i)
	return []string{repo + ":1", fmt.Sprintf("%s@sha256:%064x", repo, i*7919), fmt.Sprintf("mirror.%s@sha256:%064x", repo, i*104729)}
}

// fillLarge gives namespace k8s.io one image in use that has all the names, and
// one that is unused.
func fillLarge(ctx context.Context, s imagestore.Store) error {
	used := imagestore.New(3).Image(imagestore.Spec{Name: "registry.example/used:1", Layers: 1})
	unused := imagestore.New(4).Image(imagestore.Spec{Name: "registry.example/unused:1", Layers: 1})
	for _, image := range []*imagestore.Image{used, unused} {
		if err := s.Add(ctx, image, image.Name, "registry.example/a@"+image.Target.Digest.String(), image.Config.Desc.Digest.String()); err != nil {
			return err
		}
	}
	if err := s.CRIContainer(ctx, "app", used.Name, used); err != nil {
		return err
	}
	for i := range largeNames {
		for _, name := range pulled(i) {
			if _, err := s.Client.ImageService().Create(s.Context(ctx), images.Image{Name: name, Target: used.Target}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Where one answer with all images of a namespace is larger than containerd can
// send, everything works, in that namespace and in others.
func TestListsLargerThanAnAnswer(t *testing.T) {
	t.Parallel()
	n := &node{t: t, daemon: daemon.Start(t, daemon.Options{NoSync: true})}
	n.fill(n.daemon.Store("default"))
	n.daemon.Offline(func(e *imagestore.Embedded) error { return fillLarge(t.Context(), e.Store("k8s.io")) })
	n.daemon.Restart(func(o *daemon.Options) { o.MaxAnswer = maxAnswer })
	kubernetes := n.daemon.Store("k8s.io")
	if _, err := kubernetes.Client.ImageService().List(kubernetes.Context(t.Context())); !errdefs.IsResourceExhausted(err) {
		t.Fatalf("one answer has all: %v", err)
	}

	plan := read[prune.Document](n, "-n", "k8s.io", "--all", "--dry-run")
	if plan.Counts.Images != 3*largeNames+6 || plan.Counts.Remove != 3 {
		t.Errorf("k8s.io: %+v", plan.Counts)
	}
	if plan := read[prune.Document](n, "--all", "--dry-run"); plan.Counts.Remove == 0 {
		t.Errorf("default: %+v", plan.Counts)
	}
	if usage := read[prune.DiskUsage](n, "df"); usage.Total.AtLeast || len(usage.Notes) > 0 {
		t.Errorf("df: %+v, %v", usage.Total, usage.Notes)
	}
	n.run(0, "check")
	n.wantText(n.run(0, "-n", "k8s.io", "explain", pulled(largeNames - 1)[0]).Stdout, "in use")
	typed := append(append([]string{"-n", "k8s.io"}, n.where()...), "explain", "registry.example/unused:")
	got := completed(t, typed...)
	for tries := 0; len(got) == 0 && tries < 300; tries++ { // a busy machine does not answer at once
		got = completed(t, typed...)
	}
	if len(got) != 1 || got[0] != "registry.example/unused:1" {
		t.Errorf("completing: %q", got)
	}
	n.wantText(n.run(0, "-n", "k8s.io", "--all", "--force", "--grace", "1h").Stdout, "Untagged: registry.example/unused:1")
	n.wantText(n.run(0, "-n", "k8s.io", "undo").Stdout, "registry.example/unused:1")
	n.run(0, "-n", "k8s.io", "--all", "--force")
	for name, want := range map[string]bool{"registry.example/unused:1": false, "registry.example/used:1": true, pulled(0)[1]: true} {
		if _, err := kubernetes.Client.ImageService().Get(kubernetes.Context(t.Context()), name); (err == nil) != want {
			t.Errorf("%.40s: %v", name, err)
		}
	}
}
