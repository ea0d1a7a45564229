package cri_test

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// CRI forgets an image only when each of its names is deleted as CRI spells
// it, and these are names that it spells otherwise than their records.
func TestOddNamesLeaveNoPhantom(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		var gone []*imagestore.Image
		add := func(names ...string) *imagestore.Image {
			img := n.Image()
			n.Add(img, names...)
			return img
		}
		unused := func(names ...string) { gone = append(gone, add(names...)) }
		unused("nginx:1")
		unused("app:1", "docker.io/library/app:1", "app")
		for _, odd := range []func(*imagestore.Image) string{mobyDangling, overlayfsName, noneDangling, importName} {
			img := n.Image()
			n.Add(img, odd(img))
			gone = append(gone, img)
		}
		// Names that stay do not become phantoms of the others either.
		kept := add("team/kept:1", "docker.io/team/kept:1")
		n.Pod("api").Create(cri.Container{Name: "app", Image: "team/kept:1"})
		pinned := add("pinned:1")
		if err := n.Store(cri.Namespace).Pin(t.Context(), "pinned:1"); err != nil {
			t.Fatal(err)
		}

		p := pruneAll(t, n)
		p.wantGone(t, gone...)
		wantClean(t, n)
		wantUsable(t, n, "team/kept:1", kept.Config.Desc.Digest.String())
		for _, img := range gone {
			wantForgotten(t, n, img.Config.Desc.Digest.String())
		}
		wantStatus(t, n, pinned.Config.Desc.Digest.String(), pinned.Config.Desc.Digest.String())
		n.Restart()
		wantClean(t, n)
	})
}

func mobyDangling(i *imagestore.Image) string { return imagestore.MobyDangling(i.Target.Digest) }
func noneDangling(i *imagestore.Image) string { return imagestore.NoneDangling(i.Target.Digest) }
func importName(i *imagestore.Image) string   { return imagestore.ImportDangling(i.Target.Digest) }
func overlayfsName(i *imagestore.Image) string {
	return imagestore.SnapshotterDangling("overlayfs", i.Target.Digest)
}

// A bare name that moved is CRI's name for both images.
func TestMovedBareNameLeavesNoPhantom(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		first, second := n.Image(), n.Image()
		n.Add(first, "busy:1")
		n.Add(second, "busy:1")
		pruneAll(t, n).wantGone(t, first, second)
		wantClean(t, n)
		wantForgotten(t, n, first.Config.Desc.Digest.String(), second.Config.Desc.Digest.String(), "busy:1")
	})
}

// CRI shows the image of "web:1" as docker.io/library/web:1, which is another
// image. Nothing but a restart makes it let go, so the image stays.
func TestImageStaysWhoseNameCRIMistakes(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		web := n.Pulled("docker.io/library/web", "1")
		keep := map[string]string{"ctr-prune/keep": "yes"}
		if err := n.Store(cri.Namespace).Label(t.Context(), "docker.io/library/web:1", keep); err != nil {
			t.Fatal(err)
		}
		mistaken, stray := n.Image(), n.Image()
		n.Add(mistaken, "web:1")
		n.Add(stray, "stray:1")

		p := pruneAll(t, n)
		p.wantGone(t, stray)
		for _, skip := range p.report.Skipped {
			if skip.Target != mistaken.Target.Digest || !strings.Contains(skip.Reason, `"docker.io/library/web:1"`) {
				t.Errorf("skipped %+v", skip)
			}
		}
		if len(p.report.Skipped) != 2 { // its name and its ID
			t.Errorf("skipped %+v", p.report.Skipped)
		}
		wantClean(t, n)
		wantUsable(t, n, "web:1", web.Config.Desc.Digest.String())
	})
}

// Without -a only images go that nobody named, and CRI's own record of an
// image's ID is no name.
func TestDanglingImagesGo(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		var gone []*imagestore.Image
		for _, odd := range []func(*imagestore.Image) string{noneDangling, overlayfsName, importName} {
			img := n.Image()
			n.Add(img, odd(img))
			gone = append(gone, img)
		}
		n.Pulled("docker.io/library/unused", "1")
		old := n.Pulled("docker.io/library/moved", "1")
		n.Pulled("docker.io/library/moved", "1") // the old one keeps repo@digest
		used := n.Image()
		n.Add(used, noneDangling(used))
		n.Pod("api").Create(cri.Container{Name: "app", Image: used.Config.Desc.Digest.String()})

		p, err := run{namespaces: []string{cri.Namespace}, dangling: true}.on(t, n)
		if err != nil {
			t.Error(err)
		}
		p.wantGone(t, gone...)
		wantClean(t, n)
		wantUsable(t, n, used.Config.Desc.Digest.String(), names("docker.io/library/moved", "1", old)[1])
	})
}
