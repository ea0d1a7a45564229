package cri_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// rebuilt makes an image on the layers of another, as a build does that changes
// only the configuration, and puts it into the store as a pull of CRI's would.
func rebuilt(n *cri.Node, of *imagestore.Image, version, repo, tag string) *imagestore.Image {
	img := n.Builder.Image(imagestore.Spec{Base: of, Labels: map[string]string{"version": version}})
	n.Add(img, imagestore.CRINames(repo, tag, img)...)
	return img
}

// CRI notes which image a container was made from. Of label-only rebuilds, which
// all have its layers, that one stays, and the one that its tag means by now.
func TestRebuildsOfAPodsImageGo(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		const repo = "docker.io/library/app"
		first := n.Pulled(repo, "1")
		pod := n.Pod("api")
		made := pod.Run(cri.Container{Name: "app", Image: repo + ":1"})
		second := rebuilt(n, first, "2", repo, "1") // the tag moves
		third := rebuilt(n, first, "3", repo, "1")
		other := rebuilt(n, first, "4", repo, "2")

		p := pruneAll(t, n)
		p.wantGone(t, second, other)
		if got, want := p.reason(t, first.Config.Desc.Digest.String()), "in use by pod default/api, container app"; got != want {
			t.Errorf("reason %q, want %q", got, want)
		}
		wantClean(t, n)
		wantForgotten(t, n, second.Config.Desc.Digest.String(), other.Config.Desc.Digest.String(), repo+":2")
		wantUsable(t, n, append(names(repo, "1", third), names(repo, "1", first)[1:]...)...)

		// Its container can be made again from the image that it had.
		pod.RemoveContainer(made)
		pod.Run(cri.Container{Name: "app", Image: first.Config.Desc.Digest.String()})
		pruneAll(t, n).wantGone(t, third)
		pod.Remove()
		pruneAll(t, n).wantGone(t, first)
		wantClean(t, n)
	})
}

// An index and a manifest in it have one image ID, and CRI shows them as one image:
// their names go together.
func TestNamesOfOneImageIDGoTogether(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		manifest := n.Image()
		index := n.Builder.Index(imagestore.IndexSpec{Manifests: []*imagestore.Image{manifest}})
		n.Add(manifest, "docker.io/library/plain:1")
		if err := n.Store(cri.Namespace).Add(t.Context(), index, "docker.io/library/app:1"); err != nil {
			t.Fatal(err)
		}
		n.Alias(index, manifest)
		n.Settle()
		keep := func(value string) {
			if err := n.Store(cri.Namespace).Label(t.Context(), "docker.io/library/plain:1", map[string]string{"ctr-prune/keep": value}); err != nil {
				t.Fatal(err)
			}
		}

		keep("yes")
		pruneAll(t, n).wantGone(t)
		wantClean(t, n)
		wantUsable(t, n, "docker.io/library/plain:1", "docker.io/library/app:1", manifest.Config.Desc.Digest.String())
		keep("")
		pruneAll(t, n).wantGone(t, manifest, index)
		wantClean(t, n)
	})
}

// What `nerdctl rmi -f` leaves of an image is dangling, with CRI's record of its ID.
func TestColonGoes(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		img := n.Image()
		n.Add(img, ":")
		p, err := run{namespaces: []string{cri.Namespace}, dangling: true}.on(t, n)
		if err != nil {
			t.Fatal(err)
		}
		p.wantGone(t, img)
		wantClean(t, n)
	})
}
