package behaviour_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Two tags on one target: removing one frees nothing, and says so.
func TestOneOfTwoTagsFreesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		a := s.added("docker.io/library/a:1", 2)
		s.must(s.Tag(s.ctx(), a.Name, "docker.io/library/b:1"))
		one := []string{"--all", "--filter", "reference=b:1"}

		if plan := s.plan(one...); (plan.Predicted != prune.Amount{}) {
			t.Errorf("predicted: %+v", plan.Predicted)
		}
		p := s.prune(one...)
		p.wantNames("default", a.Name)
		p.wantReclaimed(0)
		wantAction(t, p.Document, "docker.io/library/b:1", prune.Remove, `held by image "docker.io/library/a:1"`)
		p.wantHeldBy(a.Name, append(a.Digests(), a.Target.Digest)...)
	})
}

// A person is told the same.
func TestOneOfTwoTagsInText(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		a := s.added("docker.io/library/a:1", 2)
		s.must(s.Tag(s.ctx(), a.Name, "docker.io/library/b:1"))
		s.ready()
		r := run(t, append(s.where(), "--force", "--all", "--filter", "reference=b:1")...).Want(t, programs.ExitDone)
		for _, line := range []string{
			"Untagged: docker.io/library/b:1\n",
			"by image \"docker.io/library/a:1\"\n",
			"Total reclaimed space: 0B",
		} {
			if !strings.Contains(r.Stdout, line) {
				t.Errorf("not told: %q in:\n%s", line, r.Stdout)
			}
		}
	})
}

func (p pruned) wantHeldBy(holder string, blobs ...digest.Digest) {
	p.t.Helper()
	for _, b := range blobs {
		if !slices.ContainsFunc(p.Held, func(h prune.Held) bool {
			return h.Digest == b && strings.Contains(h.Holder, holder)
		}) {
			p.t.Errorf("the report does not say that %q holds %s: %+v", holder, b, p.Held)
		}
	}
}

// A layer that two images share is freed with the second, and counted once.
func TestSharedLayersCountOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		base := s.image("docker.io/library/base:1", 3)
		a, b := s.on(base, "docker.io/library/a:1"), s.on(base, "docker.io/library/b:1")
		s.add(base, a, b)

		first := s.prune("--all", "--filter", "reference=a:1")
		first.wantNames("default", base.Name, b.Name)
		first.wantReclaimed(1, without(a.Digests(), base.Digests())...)

		rest := s.prune("--all")
		rest.wantNames("default")
		rest.wantReclaimed(3+1, union(base.Digests(), b.Digests())...)
	})
}

// What another namespace still has is not freed and not counted; when both let
// go in one run it is counted once.
func TestContentOfAnotherNamespace(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		img := s.added("docker.io/library/a:1", 2)
		s.must(s.In("other").Add(s.ctx(), img))
		own := s.added("docker.io/library/own:1", 1)

		p := s.prune("--all")
		p.wantNames("default")
		p.wantNames("other", img.Name)
		p.wantReclaimed(2+1, own.Digests()...)
		p.wantHeldBy(`in namespace "other"`, img.Digests()...)

		s.up()
		s.add(img)
		both := s.prune("--all", "-n", "default", "-n", "other")
		both.wantNames("default")
		both.wantNames("other")
		both.wantReclaimed(2*2, img.Digests()...)
	})
}

// A run that finds nothing says where images are.
func TestNothingHereButElsewhere(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.must(s.In("k8s.io").Add(s.ctx(), s.image("docker.io/library/a:1", 1)))
		s.ready()
		before := s.state()
		r := run(t, append(s.where(), "--force", "--all")...).Want(t, programs.ExitDone)
		if !strings.Contains(r.Stdout, "k8s.io (1)") {
			t.Errorf("not told of the other namespace: %s", r.Stdout)
		}
		wantSame(t, before, s.state())
	})
}

// Images that other tools made go like any other.
func TestImagesOfOtherTools(t *testing.T) {
	tools := foreignArchives(t)
	everywhere(t, func(t *testing.T, s *subject) {
		var records []string
		for tool, archive := range tools {
			made, err := s.ImportArchive(s.ctx(), archive, "docker.io/library/"+tool)
			s.must(err)
			for _, rec := range made {
				records = append(records, rec.Name)
			}
		}
		kept := s.added("docker.io/library/kept:1", 1)
		s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: kept.Name, Of: kept}))
		p := s.prune("--all")
		p.wantNames("default", kept.Name)
		for _, name := range records {
			wantAction(t, p.Document, name, prune.Remove, "unused")
		}
		if len(records) < 2 || p.Reclaimed.Blobs < 4 || p.Reclaimed.Snapshots < 2 {
			t.Errorf("reclaimed %+v of %q", p.Reclaimed, records)
		}
	})
}
