package behaviour_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// zoo is one of everything that a policy tells apart.
type zoo struct {
	// dangling records go by default, unused ones only with --all.
	dangling, unused []string
	// spare has a name that only --dangling-prefix spare calls dangling.
	spare string
	// kept is the reason that keeps a record, by its name.
	kept map[string]string
}

func (s *subject) zoo() zoo {
	s.t.Helper()
	z := zoo{kept: map[string]string{}}
	s.addDangling(&z)
	s.addUnused(&z)
	s.addUsed(&z)
	s.addPinned(&z)
	s.addFamily(&z)
	return z
}

func (s *subject) addDangling(z *zoo) {
	for i, name := range []func(*imagestore.Image) string{
		func(i *imagestore.Image) string { return imagestore.MobyDangling(i.Target.Digest) },
		func(i *imagestore.Image) string { return imagestore.NoneDangling(i.Target.Digest) },
		func(i *imagestore.Image) string { return imagestore.ImportDangling(i.Target.Digest) },
		func(i *imagestore.Image) string {
			return imagestore.SnapshotterDangling(s.Snapshotter, i.Target.Digest)
		},
	} {
		img := s.image("", 1+i%2)
		img.Name = name(img)
		s.add(img)
		z.dangling = append(z.dangling, img.Name)
	}
}

func (s *subject) addUnused(z *zoo) {
	s.added("docker.io/library/unused:1", 2)
	present, missing := s.image("", 1), s.image("", 1)
	missing.Platform.Architecture = "s390x"
	s.add(s.make.Index(imagestore.IndexSpec{
		Name: "docker.io/library/index:1", Attest: true,
		Manifests: []*imagestore.Image{present}, Missing: []*imagestore.Image{missing},
	}))
	named := s.image("", 1)
	named.Name = "spare@" + named.Target.Digest.String()
	s.add(named)
	z.unused = append(z.unused, "docker.io/library/unused:1", "docker.io/library/index:1")
	z.spare = named.Name
}

func (s *subject) addUsed(z *zoo) {
	app := s.added("docker.io/library/app:1", 2)
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "plain", Image: app.Name, Of: app}))
	z.kept[app.Name] = "container plain"

	web := s.added("docker.io/library/web:1", 1)
	s.must(s.NerdctlContainer(s.ctx(), "0123456789abcdef", "my-web", web.Name, web))
	z.kept[web.Name] = "my-web"

	// A name that a person would type finds the record of the full name.
	short := s.added("docker.io/library/short:latest", 1)
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "shortly", Image: "short"}))
	z.kept[short.Name] = "container shortly"
}

func (s *subject) addPinned(z *zoo) {
	for name, label := range map[string]string{
		"docker.io/library/pinned:1": imagestore.LabelPinned, "docker.io/library/precious:1": "ctr-prune/keep",
	} {
		s.added(name, 1)
		s.must(s.Tag(s.ctx(), name, name+"-too"), s.Label(s.ctx(), name, map[string]string{label: "pinned"}))
		z.kept[name], z.kept[name+"-too"] = label, label
	}
}

// addFamily adds signatures: one of an image that stays, which stays too, and
// one of an image that goes.
func (s *subject) addFamily(z *zoo) {
	signed := s.added("docker.io/library/signed:1", 1)
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "signed", Image: signed.Name, Of: signed}))
	z.kept[signed.Name] = "container signed"
	bySubject := s.make.Signature("docker.io/library/signed:signature", signed)
	byTag := s.image("docker.io/library/signed:"+imagestore.SignatureTag(signed, "att"), 1)
	s.add(bySubject, byTag)
	z.kept[bySubject.Name], z.kept[byTag.Name] = signed.Name, signed.Name

	unused := s.added("docker.io/library/old:1", 1)
	sig := s.make.Signature("docker.io/library/old:"+imagestore.SignatureTag(unused, "sig"), unused)
	s.add(sig)
	z.unused = append(z.unused, unused.Name, sig.Name)
}

func TestOnlyDanglingImagesGoByDefault(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		z := s.zoo()
		p := s.prune()
		p.wantNames("default", slices.Concat(slices.Collect(maps.Keys(z.kept)), z.unused, []string{z.spare})...)
		for _, name := range z.dangling {
			wantAction(t, p.Document, name, prune.Remove, "dangling")
		}
		for _, name := range z.unused[:2] {
			wantAction(t, p.Document, name, prune.Keep, "dangling")
		}
	})
}

func TestAllUnusedImagesGoWithAll(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		z := s.zoo()
		p := s.prune("--all")
		p.wantNames("default", slices.Collect(maps.Keys(z.kept))...)
		for name, why := range z.kept {
			wantAction(t, p.Document, name, prune.Keep, why)
		}
		if again := s.prune("--all"); again.Counts.Remove != 0 {
			t.Errorf("a second run removes %d records", again.Counts.Remove)
		}
	})
}

func TestFurtherPrefixOfDanglingNames(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		z := s.zoo()
		p := s.prune("--dangling-prefix", "spare")
		p.wantNames("default", slices.Concat(slices.Collect(maps.Keys(z.kept)), z.unused)...)
	})
}
