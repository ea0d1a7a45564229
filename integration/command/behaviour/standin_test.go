package behaviour_test

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images/converter"
	"github.com/containerd/containerd/v2/core/images/converter/uncompress"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// useOf is a way in which a container names its image.
type useOf struct {
	name string
	// field is what stands in the container's Image field.
	field func(img *imagestore.Image) string
	// named: the record of that name stays. Otherwise the image's last record
	// gets a stand-in.
	named bool
	// bare: the container has no snapshot that would tell its image.
	bare bool
}

var waysOfUse = []useOf{
	{"repo and tag", func(i *imagestore.Image) string { return i.Name }, true, true},
	{"familiar name", func(*imagestore.Image) string { return "app:1" }, true, true},
	{"digest", func(i *imagestore.Image) string { return i.Target.Digest.String() }, false, true},
	{"repo and digest", func(i *imagestore.Image) string { return "docker.io/library/app@" + i.Target.Digest.String() }, false, true},
	{"image ID", func(i *imagestore.Image) string { return i.Config.Desc.Digest.String() }, false, true},
	{"beginning of the image ID", func(i *imagestore.Image) string { return i.Config.Desc.Digest.String()[:7+12] }, false, true},
	{"twelve digits", func(i *imagestore.Image) string { return i.Config.Desc.Digest.Encoded()[:12] }, false, true},
	{"snapshot alone", func(*imagestore.Image) string { return "" }, false, false},
	{"a name that is gone", func(*imagestore.Image) string { return "docker.io/library/was:1" }, false, false},
}

// A container keeps the record that it names; if it names no record, its image
// keeps one, a stand-in if need be.
func TestContainersKeepTheirImage(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		for _, use := range waysOfUse {
			store := s.In(use.namespace())
			img := s.image("docker.io/library/app:1", 2)
			s.must(store.Add(s.ctx(), img), store.Tag(s.ctx(), img.Name, "docker.io/library/also:1"))
			spec := imagestore.ContainerSpec{ID: "c", Image: use.field(img)}
			if !use.bare {
				spec.Of = img
			}
			s.must(store.Container(s.ctx(), spec))
		}
		p := s.prune("--all", "--all-namespaces")
		for _, use := range waysOfUse {
			t.Run(use.name, func(t *testing.T) { p.wantKept(t, use) })
		}
		p.wantReclaimed(0)

		again := s.prune("--all", "--all-namespaces")
		if again.Counts.Remove+again.Counts.StandIn > 0 {
			t.Errorf("a second run removes %+v", again.Counts)
		}
	})
}

// namespace is the one of a container that uses its image so.
func (u useOf) namespace() string { return strings.ReplaceAll(u.name, " ", "-") }

func (p pruned) wantKept(t *testing.T, use useOf) {
	p.t = t
	namespace := use.namespace()
	if use.named {
		p.wantNames(namespace, "docker.io/library/app:1")
		return
	}
	left := p.after.Namespaces[namespace].Images
	target := p.before.Namespaces[namespace].Images["docker.io/library/app:1"].Target.Digest
	if len(left) != 1 {
		t.Fatalf("records left: %q", names(p.after, namespace))
	}
	for name, record := range left {
		if name == "docker.io/library/app:1" || name == "docker.io/library/also:1" || record.Target.Digest != target {
			t.Errorf("record %q for %s is no stand-in for %s", name, record.Target.Digest, target)
		}
	}
}

// The image of a container survives its name's move to another record.
func TestCreateTagUntagPrune(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		a := s.added("docker.io/library/a:1", 2)
		s.must(
			s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: a.Name, Of: a}),
			s.Tag(s.ctx(), a.Name, "docker.io/library/z:1"),
			s.Untag(s.ctx(), a.Name),
		)
		p := s.prune("--all")
		p.wantReclaimed(0)
		wantAction(t, p.Document, "docker.io/library/z:1", prune.StandIn, "container c")
		if left := names(p.after, "default"); len(left) != 1 {
			t.Fatalf("records left: %q", left)
		}

		s.up()
		s.must(s.RemoveContainer(s.ctx(), "c"))
		last := s.prune()
		last.wantNames("default")
		last.wantReclaimed(2, a.Digests()...)
	})
}

// A name that was moved to another image still keeps the image that it meant
// when the container was created.
func TestContainerOfANameThatMoved(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		old := s.added("docker.io/library/a:1", 2)
		s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: old.Name, Of: old}))
		s.must(s.Tag(s.ctx(), old.Name, "docker.io/library/old:1"))
		s.added("docker.io/library/a:1", 1) // the record moves
		p := s.prune("--all")
		p.wantReclaimed(0)
		wantAction(t, p.Document, "docker.io/library/a:1", prune.Keep, "container c")
		wantAction(t, p.Document, "docker.io/library/old:1", prune.StandIn, "container c")
	})
}

// A stand-in that is in use stays, one that is not goes, be it ours or that of
// another client.
func TestStandInsThatExist(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		var keep []string
		for i, name := range []func(*imagestore.Image) string{
			func(i *imagestore.Image) string { return imagestore.NoneDangling(i.Target.Digest) },
			func(i *imagestore.Image) string { return imagestore.MobyDangling(i.Target.Digest) },
		} {
			used, unused := s.image("", 1), s.image("", 1)
			used.Name, unused.Name = name(used), name(unused)
			s.add(used, unused)
			s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: string(rune('a' + i)), Image: used.Config.Desc.Digest.String(), Of: used}))
			keep = append(keep, used.Name)
		}
		p := s.prune()
		p.wantNames("default", keep...)
		for _, name := range keep {
			wantAction(t, p.Document, name, prune.Keep, "in use by container")
		}
	})
}

// `image convert` and builds that change only the configuration make images of
// the same layers as that of a container: they are other images, and go.
func TestImagesOnTheLayersOfAContainerGo(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		app := s.added("docker.io/library/app:1", 2)
		s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: app.Name, Of: app}))
		_, err := converter.Convert(s.Context(s.ctx()), s.Client, "docker.io/library/app:plain", app.Name,
			converter.WithLayerConvertFunc(uncompress.LayerConvertFunc))
		rebuilt := imagestore.New(99).Image(imagestore.Spec{Base: app, Labels: map[string]string{"version": "2"}})
		s.must(err, s.Add(s.ctx(), rebuilt, "docker.io/library/app:2", imagestore.NoneDangling(rebuilt.Target.Digest)))

		dangling := s.prune()
		dangling.wantNames("default", "docker.io/library/app:1", "docker.io/library/app:2", "docker.io/library/app:plain")
		dangling.wantReclaimed(0)
		s.up()
		p := s.prune("--all")
		p.wantNames("default", app.Name)
		var theirs []digest.Digest
		for d := range p.before.Namespaces["default"].Content {
			theirs = append(theirs, d)
		}
		theirs = without(theirs, app.Digests())
		if len(theirs) < 5 { // two manifests, a config, two layers
			t.Errorf("of the images only %v are their own", theirs)
		}
		p.wantReclaimed(0, theirs...)
		wantAction(t, p.Document, "docker.io/library/app:1", prune.Keep, "container c")
	})
}
