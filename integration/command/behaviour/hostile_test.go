package behaviour_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// notLabelled is a filter that needs the config of every image.
const notLabelled = "label!=precious"

// broken adds what a filter on labels cannot judge, and returns the names.
func (s *subject) broken() []string {
	s.t.Helper()
	noConfig, noChild := s.image("docker.io/library/no-config:1", 1), s.image("", 1)
	listing := s.make.Index(imagestore.IndexSpec{Name: "docker.io/library/no-child:1", Manifests: []*imagestore.Image{noChild}})
	images := []*imagestore.Image{
		s.make.Garbage("docker.io/library/garbage:1"),
		s.make.GarbageConfig(imagestore.Spec{Name: "docker.io/library/garbage-config:1"}),
		noConfig.Without(noConfig.Config.Desc.Digest),
		listing.Without(noChild.Digests()...),
		s.make.CacheExport("docker.io/library/cache:1", s.image("", 2)),
		s.make.Doubling("docker.io/library/doubling:1", 40),
	}
	var names []string
	for _, img := range images {
		s.must(s.Write(s.ctx(), img))
		names = append(names, img.Name)
	}
	absent := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("nowhere"), Size: 1 << 62}
	s.must(s.Point(s.ctx(), "docker.io/library/absent:1", absent))
	return append(names, "docker.io/library/absent:1")
}

// oversized adds what can be judged although something is missing in it or it
// lies about its size, and returns the names.
func (s *subject) oversized() []string {
	s.t.Helper()
	noLayer := s.image("docker.io/library/no-layer:1", 2)
	whole := s.image("docker.io/library/claims-exabytes:1", 1)
	s.must(
		s.Write(s.ctx(), noLayer.Without(noLayer.Layers[1].Desc.Digest)),
		s.Write(s.ctx(), s.make.Overstated("docker.io/library/claims-10-gib:1", 10<<30)),
		s.Write(s.ctx(), s.make.Overstated("docker.io/library/claims-all:1", 1<<62)),
		s.Write(s.ctx(), s.make.Overstated("docker.io/library/claims-all-too:1", 1<<62)),
		s.Add(s.ctx(), whole.Claiming(1<<62)),
	)
	return []string{noLayer.Name, whole.Name, "docker.io/library/claims-10-gib:1", "docker.io/library/claims-all:1", "docker.io/library/claims-all-too:1"}
}

// The run goes on over what is broken: what a filter cannot judge stays, with
// a reason, and is gone when nobody asks for a judgement.
func TestBrokenImages(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		unjudged, judged := s.broken(), s.oversized()
		precious := s.make.Image(imagestore.Spec{Name: "docker.io/library/precious:1", Labels: map[string]string{"precious": ""}})
		s.add(precious)

		p := s.prune("--all", "--filter", notLabelled)
		p.wantNames("default", append(slices.Clone(unjudged), precious.Name)...)
		for _, name := range unjudged {
			if why := about(t, p.Document, name).Reason; !strings.Contains(why, "label") {
				t.Errorf("%s stays because %q", name, why)
			}
		}
		for _, name := range judged {
			wantAction(t, p.Document, name, prune.Remove, "")
		}

		all := s.prune("--all")
		all.wantNames("default")
		wantAction(t, all.Document, "docker.io/library/absent:1", prune.Remove, "its content is not in the store")
		if len(all.after.Files) > 0 {
			t.Errorf("%d blobs are left", len(all.after.Files))
		}
	})
}

// A container keeps what is broken like anything else.
func TestBrokenImagesInUse(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.daemon.Expect(prune.ProblemIncomplete)
		names := s.broken()
		for i, name := range names {
			s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: string(rune('a' + i)), Image: name}))
		}
		s.prune("--all").wantNames("default", names...)
	})
}

// formats are all ways in which results are shown.
var formats = [][]string{
	{"--format", "table"},
	{"--format", "table", "--no-trunc"},
	{"--format", "json"},
	{"--format", "jsonl"},
	{"--format", "{{.Name}} {{.Reason}} {{.Details}} {{.StandIn}}"},
	{"--format", "table {{.Name}}\t{{.Reason}}\t{{.Details}}"},
	{"--format", "{{json .}}"},
	{"--quiet"},
}

const evil = "evil\x1b[31m\r\n\u202e\u009b\x07"

// hostile adds names, and all else that a stranger may write into a store and
// that a report repeats, in the worst of ways. It returns the names that go.
func (s *subject) hostile() (going []string) {
	s.t.Helper()
	img, used := s.image("", 1), s.image("evil.example/used\x1b[31m:1", 1)
	s.must(s.Add(s.ctx(), img, imagestore.HostileNames()...), s.Add(s.ctx(), used))
	s.must(s.NerdctlContainer(s.ctx(), "named", evil, used.Name, used))
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "unknown", Image: evil}))
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "bare", Image: img.Target.Digest.String()}))

	// A snapshot by such a name goes with its image.
	odd := s.image("evil.example/odd:1", 1)
	s.must(s.Write(s.ctx(), odd))
	s.snapshot(odd, evil)
	return append(imagestore.HostileNames(), odd.Name)
}

// snapshot makes a snapshot of any name and lets the image's config hold it.
func (s *subject) snapshot(img *imagestore.Image, key string) {
	s.t.Helper()
	ctx, done, err := s.Client.WithLease(s.Context(s.ctx()))
	s.must(err)
	snapshotter := s.Client.SnapshotService(s.Snapshotter)
	_, err = snapshotter.Prepare(ctx, key+"-active", "")
	s.must(err, snapshotter.Commit(ctx, key, key+"-active"))
	cs := s.Client.ContentStore()
	info, err := cs.Info(ctx, img.Config.Desc.Digest)
	s.must(err)
	label := "containerd.io/gc.ref.snapshot." + s.Snapshotter
	info.Labels = map[string]string{label: key}
	_, err = cs.Update(ctx, info, "labels."+label)
	s.must(err, done(ctx))
}

// Nothing that a store holds reaches a terminal or a file as it is, in no
// format and at no step.
func TestHostileNames(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		going := s.hostile()
		s.ready()
		for _, format := range formats {
			t.Run("plan "+strings.Join(format[1:], " "), func(t *testing.T) {
				r := run(t, slices.Concat(s.where(), []string{"--all", "--dry-run"}, format)...)
				r.Want(t, programs.ExitDone).Clean(t)
			})
		}
		plan := s.plan("--all")
		for _, name := range going {
			if action := about(t, plan, name).Action; action == prune.Keep {
				t.Errorf("record %.50q: %s", name, action)
			}
		}
		t.Run("question", func(t *testing.T) { s.testHostileQuestion(t) })

		p := s.prune("--all")
		if !slices.Contains(p.deleted(), s.Snapshotter+"/"+evil) {
			t.Errorf("deleted: %q", p.deleted())
		}
		left := names(p.after, "default")
		if len(left) != 2 { // the one in use, and a stand-in
			t.Errorf("records left: %q", left)
		}
	})
}

// testHostileQuestion declines, on a terminal that shows everything.
func (s *subject) testHostileQuestion(t *testing.T) {
	x := onTerminal(t, true, append(s.where(), "--all")...)
	x.await(question)
	x.answer("n")
	r := x.end().Want(t, programs.ExitDone)
	r.Stderr = strings.ReplaceAll(r.Stderr, "\r\n", "\n") // the terminal's own
	r.Clean(t)
}

// The same for what was done.
func TestHostileNamesInReports(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		for _, format := range formats {
			s.hostile()
			s.ready()
			r := run(t, slices.Concat(s.where(), []string{"--all", "--force"}, format)...)
			t.Run(strings.Join(format, " "), func(t *testing.T) { r.Want(t, programs.ExitDone).Clean(t) })
			for _, id := range []string{"named", "unknown", "bare"} {
				s.must(s.RemoveContainer(s.ctx(), id))
			}
		}
	})
}

// And for what is said of filters and of errors.
func TestHostileFlags(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.hostile()
		s.ready()
		for _, flags := range [][]string{
			{"--filter", evil}, {"--filter", "until=" + evil}, {"--until", evil}, {"-n", evil}, {"--format", evil},
			{"--format", "{{" + evil}, {"--" + evil}, {"--filter", "reference=[" + evil}, {"--dangling-prefix", "@" + evil},
		} {
			r := run(t, slices.Concat(s.where(), []string{"--all", "--force"}, flags)...)
			wantSentence(t, r, programs.ExitUsage, "")
			r.Clean(t)
		}
		r := run(t, append(s.where(), "--all", "--force", evil)...)
		wantSentence(t, r, programs.ExitFailed, "no image in namespace")
		r.Clean(t)
		for _, flags := range [][]string{{"--root", "/tmp/" + evil}, {"--address", "/tmp/" + evil}} {
			r := run(t, append([]string{"--all", "--force"}, flags...)...)
			wantSentence(t, r, programs.ExitUnreachable, "")
			r.Clean(t)
		}
	})
}
