package answers_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// largeStore is a store of pulls of Kubernetes, each with three names of 300
// characters, and what containerd may send in one answer: its default if zero,
// which is 16 MiB.
type largeStore struct{ pulls, maxAnswer int }

// theLargeStore has as many pulls as are too many for the default only with SOAK,
// because reading them takes its time.
func theLargeStore() largeStore {
	if os.Getenv("SOAK") != "" {
		return largeStore{pulls: 18000}
	}
	return largeStore{pulls: 300, maxAnswer: 256 << 10}
}

// pulled names one image as CRI does: by tag, by digest, and, as there is one ID
// record for an image, by another registry's digest.
func pulled(i int) []string {
	repo := fmt.Sprintf("registry.example/%s/app-%d", strings.Repeat("long/", 40), i)
	return []string{repo + ":1", fmt.Sprintf("%s@sha256:%064x", repo, i*7919), fmt.Sprintf("mirror.%s@sha256:%064x", repo, i*104729)}
}

// fill gives namespace k8s.io one image in use that has all the names, and one
// that is unused.
func (l largeStore) fill(ctx context.Context, e *imagestore.Embedded) error {
	s := e.Store("k8s.io")
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
	records := make([]images.Image, 0, 3*l.pulls)
	for i := range l.pulls {
		for _, name := range pulled(i) {
			records = append(records, images.Image{Name: name, Target: used.Target})
		}
	}
	return e.Records(ctx, "k8s.io", records...)
}

// Where one answer with all images of a namespace is larger than containerd can
// send, everything works, in that namespace and in others.
func TestListsLargerThanAnAnswer(t *testing.T) {
	t.Parallel()
	n := &node{t: t, daemon: daemon.Start(t, daemon.Options{NoSync: true})}
	n.fill(n.daemon.Store("default"))
	large := theLargeStore()
	n.daemon.Offline(func(e *imagestore.Embedded) error { return large.fill(t.Context(), e) })
	n.daemon.Restart(func(o *daemon.Options) { o.MaxAnswer = large.maxAnswer })
	kubernetes := n.daemon.Store("k8s.io")
	if _, err := kubernetes.Client.ImageService().List(kubernetes.Context(t.Context())); !errdefs.IsResourceExhausted(err) {
		t.Fatalf("one answer has all: %v", err)
	}

	plan := read[prune.Document](n, "-n", "k8s.io", "--all", "--dry-run")
	if plan.Counts.Images != 3*large.pulls+6 || plan.Counts.Remove != 3 {
		t.Errorf("k8s.io: %+v", plan.Counts)
	}
	if plan := read[prune.Document](n, "--all", "--dry-run"); plan.Counts.Remove == 0 {
		t.Errorf("default: %+v", plan.Counts)
	}
	if usage := read[prune.DiskUsage](n, "df"); usage.Total.AtLeast || len(usage.Notes) > 0 {
		t.Errorf("df: %+v, %v", usage.Total, usage.Notes)
	}
	n.run(0, "check")
	n.wantText(n.run(0, "-n", "k8s.io", "explain", pulled(large.pulls - 1)[0]).Stdout, "in use")
	if large.maxAnswer > 0 { // completion has no time for all
		n.completesUnused()
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

// completesUnused fails the test unless the name of the unused image is completed.
func (n *node) completesUnused() {
	n.t.Helper()
	typed := append(append([]string{"-n", "k8s.io"}, n.where()...), "explain", "registry.example/unused:")
	got := completed(n.t, typed...)
	for tries := 0; len(got) == 0 && tries < 300; tries++ { // a busy machine does not answer at once
		got = completed(n.t, typed...)
	}
	if len(got) != 1 || got[0] != "registry.example/unused:1" {
		n.t.Errorf("completing: %q", got)
	}
}
