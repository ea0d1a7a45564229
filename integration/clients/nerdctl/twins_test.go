package nerdctl_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/clients/nerdctl"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// removedForce is the record that `nerdctl rmi -f` makes of the image of a
	// running container, before it deletes the one that was typed; a digest
	// follows where a change that nerdctl has not taken yet makes it.
	removedForce = ":"
	// digestLabel is what `nerdctl create` notes after release 2.3.5.
	digestLabel = "nerdctl/image-digest"
)

// twin is an image on the layers of another, as a build makes it that changes
// only the configuration.
func (b bench) twin(of *imagestore.Image, names ...string) *imagestore.Image {
	b.t.Helper()
	img := b.build.Image(imagestore.Spec{Base: of, Labels: map[string]string{"build": b.t.Name() + names[0]}})
	b.add("default", img, names...)
	return img
}

// rmiForce is `nerdctl rmi -f` of the image of a running container.
func (b bench) rmiForce(name, record string) {
	b.t.Helper()
	s := b.Store("default")
	if err := s.Tag(b.t.Context(), name, record); err != nil {
		b.t.Fatal(err)
	}
	if err := s.Untag(b.t.Context(), name); err != nil {
		b.t.Fatal(err)
	}
}

// A container that was made by `nerdctl run` names its image, and other images on
// the same layers are not in use: neither converted ones nor those of builds.
func TestTwinsOfAContainersImageGo(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		app := b.image("default", "docker.io/library/app:1")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1"})
		b.twin(app, "docker.io/library/app:2")
		stray := b.twin(app, "docker.io/library/app:3")
		b.rmiForce("docker.io/library/app:3", imagestore.NoneDangling(stray.Target.Digest))

		r := b.prune(pruning.Dangling("default"))
		b.want(r, "default", "docker.io/library/app:1", "docker.io/library/app:2")
		r = b.prune(pruning.All("default"))
		b.want(r, "default", "docker.io/library/app:1")
		b.wantReason(r, "default docker.io/library/app:1", "in use by container web-1 (nerdctl)")
		if r.report.Reclaimed.ContentBytes == 0 {
			t.Error("nothing was freed")
		}
	})
}

// `nerdctl build` without and with a name, one image and one name: the nameless
// one goes, although a container stands on its layers.
func TestDanglingBuildBesideANamedOne(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		app := b.image("default", "docker.io/library/app:1")
		b.add("default", app, imagestore.NoneDangling(app.Target.Digest))
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1"})
		r := b.prune(pruning.Dangling("default"))
		b.want(r, "default", "docker.io/library/app:1")
	})
}

// After `nerdctl rmi -f` of a running container's image only its snapshot tells
// of it, and the new record stands in for it: until the container is gone.
func TestForcedRemovalOfARunningImage(t *testing.T) {
	for _, noted := range []bool{false, true} {
		each(t, func(t *testing.T, b bench) {
			app := b.image("default", "docker.io/library/app:1")
			c := nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1"}
			by := "stands in for an image in use by container web-1 (nerdctl), whose snapshot is based on it"
			if noted {
				c.Labels = map[string]string{digestLabel: app.Target.Digest.String()}
				by = "stands in for an image in use by container web-1 (nerdctl)"
			}
			b.create("default", c)
			b.rmiForce("docker.io/library/app:1", removedForce)
			for _, policy := range []prune.Policy{pruning.Dangling("default"), pruning.All("default")} {
				r := b.prune(policy)
				b.want(r, "default", removedForce)
				b.wantReason(r, "default "+removedForce, by)
			}
			if err := b.Store("default").RemoveContainer(t.Context(), "1f00"); err != nil {
				t.Fatal(err)
			}
			b.want(b.prune(pruning.Dangling("default")), "default")
		})
	}
}

// Where nerdctl notes the digest, the image stays although the name means another
// on the same layers by now, and a third does not.
func TestNotedImageStays(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		app := b.image("default", "docker.io/library/app:1", "docker.io/library/app:first")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1",
			Labels: map[string]string{digestLabel: app.Target.Digest.String()}})
		b.twin(app, "docker.io/library/app:1")
		b.twin(app, "docker.io/library/app:2")
		r := b.prune(pruning.All("default"))
		b.want(r, "default", "docker.io/library/app:1", imagestore.NoneDangling(app.Target.Digest))
		b.wantReason(r, "default docker.io/library/app:first",
			`the name is removed and replaced by "`+imagestore.NoneDangling(app.Target.Digest)+`", because its image is in use by container web-1 (nerdctl)`)
	})
}

// Images on the layers of a mounted one are not mounted.
func TestTwinsOfMountedImagesGo(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.image("default", "docker.io/library/app:1")
		models := b.image("default", "docker.io/library/models:1")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1",
			Mounts: map[string]string{"models:1": "docker.io/library/models:1"}})
		b.twin(models, "docker.io/library/models:2")
		r := b.prune(pruning.All("default"))
		b.want(r, "default", "docker.io/library/app:1", "docker.io/library/models:1")
	})
}
