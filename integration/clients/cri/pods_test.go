package cri_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// names returns what an image that was pulled as repo:tag is called.
func names(repo, tag string, img *imagestore.Image) []string {
	return imagestore.CRINames(repo, tag, img)
}

func TestImagesOfPodsStay(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		created := n.Pulled("docker.io/library/created", "1")
		running := n.Pulled("docker.io/library/running", "1")
		exited := n.Pulled("registry.example/team/exited", "v2")
		byDigest := n.Pulled("registry.example/by-digest", "1")
		byID := n.Pulled("registry.example/by-id", "1")
		unused := n.Pulled("docker.io/library/unused", "1")
		n.Tag("docker.io/library/unused:1", "docker.io/library/unused:2")

		pod := n.Pod("api")
		pod.Create(cri.Container{Name: "created", Image: "created:1"})
		pod.Run(cri.Container{Name: "app", Image: "docker.io/library/running:1"})
		pod.AwaitExit(pod.Run(cri.Container{Name: "job", Image: "registry.example/team/exited:v2", Exits: true}))
		pod.Run(cri.Container{Name: "pinned", Image: names("registry.example/by-digest", "1", byDigest)[1]})
		pod.Create(cri.Container{Name: "id", Image: byID.Config.Desc.Digest.String()})

		p := pruneAll(t, n)
		p.wantGone(t, unused)
		got := map[string]string{}
		for _, name := range []string{"docker.io/library/created:1", "docker.io/library/running:1",
			"registry.example/team/exited:v2", "registry.example/by-digest:1", "registry.example/by-id:1"} {
			got[name] = p.reason(t, name)
		}
		want := map[string]string{
			"docker.io/library/created:1":     "in use by pod default/api, container created",
			"docker.io/library/running:1":     "in use by pod default/api, container app",
			"registry.example/team/exited:v2": "in use by pod default/api, container job",
			"registry.example/by-digest:1":    "in use by pod default/api, container pinned",
			"registry.example/by-id:1":        "in use by pod default/api, container id",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
		wantClean(t, n)
		wantForgotten(t, n, append(names("docker.io/library/unused", "1", unused), "unused:2")...)
		var all []string
		all = append(all, names("docker.io/library/created", "1", created)...)
		all = append(all, names("docker.io/library/running", "1", running)...)
		all = append(all, names("registry.example/team/exited", "v2", exited)...)
		all = append(all, names("registry.example/by-digest", "1", byDigest)...)
		all = append(all, names("registry.example/by-id", "1", byID)...)
		wantUsable(t, n, all...)
	})
}

func TestImagesGoWithTheirPods(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		app := n.Pulled("docker.io/library/app", "1")
		pod := n.Pod("api")
		pod.Run(cri.Container{Name: "app", Image: "app:1"})
		pruneAll(t, n).wantGone(t)
		pod.Remove()
		pruneAll(t, n).wantGone(t, app)
		wantClean(t, n)
	})
}

func TestImageStaysWhenItsTagMoved(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		old := n.Pulled("docker.io/library/app", "1")
		n.Pod("api").Run(cri.Container{Name: "app", Image: "app:1"})
		renewed := n.Pulled("docker.io/library/app", "1")
		stray := n.Pulled("docker.io/library/stray", "1")

		p := pruneAll(t, n)
		p.wantGone(t, stray)
		id := old.Config.Desc.Digest.String()
		if got, want := p.reason(t, id), "in use by pod default/api, container app"; got != want {
			t.Errorf("the image the pod runs is kept for %q, want %q", got, want)
		}
		wantClean(t, n)
		wantUsable(t, n, id, names("docker.io/library/app", "1", old)[1], "app:1",
			names("docker.io/library/app", "1", renewed)[1], renewed.Config.Desc.Digest.String())
	})
}

func TestPauseImageStays(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		p := pruneAll(t, n)
		p.wantGone(t)
		want := "in use by CRI as its sandbox (pause) image"
		if got := p.reason(t, cri.PauseName); got != want {
			t.Errorf("the pause image is kept for %q, want %q", got, want)
		}

		// Another pause image is configured now; only the pod has the old one.
		n.Pod("api")
		n.UsePause("registry.example/pause:2")
		p = pruneAll(t, n)
		p.wantGone(t)
		if got, want := p.reason(t, cri.PauseName), "in use by pod sandbox default/api"; got != want {
			t.Errorf("the pause image of a pod is kept for %q, want %q", got, want)
		}
		wantClean(t, n)
	})
}
