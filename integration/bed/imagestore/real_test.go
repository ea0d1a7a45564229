package imagestore_test

import (
	"os"
	"path/filepath"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var arm = &ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}

// kinds makes one image of each kind that any store must take in whole.
func kinds(b *imagestore.Builder) []*imagestore.Image {
	base := b.Image(imagestore.Spec{Name: "example.com/base:1", Layers: 2})
	native := b.Image(imagestore.Spec{Base: base, Layers: 1})
	other := b.Image(imagestore.Spec{Platform: arm})
	return []*imagestore.Image{
		base,
		b.Image(imagestore.Spec{Name: "example.com/docker:1", Docker: true, Labels: map[string]string{"a": "b"}}),
		b.Index(imagestore.IndexSpec{Name: "example.com/both:1", Manifests: []*imagestore.Image{native, other}}),
		b.Index(imagestore.IndexSpec{Name: "example.com/one:1", Manifests: []*imagestore.Image{native}, Missing: []*imagestore.Image{b.Image(imagestore.Spec{Platform: arm})}}),
		b.Index(imagestore.IndexSpec{Name: "example.com/attested:1", Manifests: []*imagestore.Image{native}, Attest: true}),
	}
}

// Images written by Add must look to containerd exactly like imported ones:
// the same records, the same labels on the same blobs, the same snapshots.
func TestAddDoesWhatImportDoes(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		d := daemon.Start(t, daemon.Options{Version: version})
		added, imported := d.Store("added"), d.Store("imported")
		for _, img := range kinds(imagestore.New(1)) {
			must(t, added.Add(t.Context(), img))
			must(t, imported.Import(t.Context(), img))
		}
		must(t, added.Collect(t.Context()))
		if diff := cmp.Diff(labels(t, imported), labels(t, added)); diff != "" {
			t.Errorf("blobs and labels (-imported +added):\n%s", diff)
		}
		if diff := cmp.Diff(records(t, imported), records(t, added)); diff != "" {
			t.Errorf("records (-imported +added):\n%s", diff)
		}
		state := d.Capture()
		if diff := cmp.Diff(len(state.Namespaces["imported"].Snapshots), len(state.Namespaces["added"].Snapshots)); diff != "" {
			t.Errorf("number of snapshots (-imported +added):\n%s", diff)
		}
	})
}

func TestImagesAreUnpacked(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	s := d.Store("default")
	img := imagestore.New(7).Image(imagestore.Spec{Name: "app:1", Layers: 3})
	must(t, s.Add(t.Context(), img))
	got, err := s.Client.GetImage(s.Context(t.Context()), "app:1")
	must(t, err)
	if ok, err := got.IsUnpacked(s.Context(t.Context()), s.Snapshotter); !ok || err != nil {
		t.Errorf("IsUnpacked = %v, %v", ok, err)
	}
	usage, err := s.Client.SnapshotService(s.Snapshotter).Usage(s.Context(t.Context()), img.ChainIDs()[2])
	must(t, err)
	if usage.Size < 16<<10 {
		t.Errorf("the top snapshot takes %d bytes: where are the files?", usage.Size)
	}
}

func TestImagesOfOtherTools(t *testing.T) {
	paths, err := parts.Ensure(t.Context(), parts.Umoci, parts.Skopeo)
	if err != nil {
		t.Skip(err)
	}
	d := daemon.Start(t, daemon.Options{})
	dir := t.TempDir()
	oci, err := imagestore.UmociArchive(t.Context(), paths.Bin(parts.Umoci, "umoci"), dir, "1", "/bin/true", "/bin/cat")
	must(t, err)
	docker := filepath.Join(dir, "docker.tar")
	must(t, imagestore.SkopeoCopy(t.Context(), paths.Bin(parts.Skopeo, "skopeo"),
		"oci-archive:"+oci+":1", "docker-archive:"+docker+":example.com/copied:1"))

	s := d.Store("default")
	for _, tt := range []struct{ archive, want string }{
		{oci, "example.com/umoci:1"},
		{docker, "example.com/copied:1"},
	} {
		recs, err := s.ImportArchive(t.Context(), tt.archive, "example.com/umoci")
		must(t, err)
		if len(recs) != 1 || recs[0].Name != tt.want {
			t.Errorf("%s made %v, want %s", tt.archive, recs, tt.want)
			continue
		}
		ok, err := containerd.NewImage(s.Client, recs[0]).IsUnpacked(s.Context(t.Context()), s.Snapshotter)
		if !ok || err != nil {
			t.Errorf("%s: IsUnpacked = %v, %v", tt.want, ok, err)
		}
	}
}

func TestSameSeedSameImages(t *testing.T) {
	digests := func(seed uint64) []digest.Digest {
		var out []digest.Digest
		for _, img := range kinds(imagestore.New(seed)) {
			must(t, img.Err())
			out = append(out, img.Target.Digest)
		}
		return out
	}
	if diff := cmp.Diff(digests(1), digests(1)); diff != "" {
		t.Errorf("two builders with one seed differ:\n%s", diff)
	}
	if cmp.Equal(digests(1), digests(2)) {
		t.Error("two seeds make the same images")
	}
}

func TestArchiveNamesEveryTag(t *testing.T) {
	img := imagestore.New(1).Image(imagestore.Spec{Name: "app:1"})
	path := filepath.Join(t.TempDir(), "a.tar")
	f, err := os.Create(path)
	must(t, err)
	must(t, img.Archive(f, "app:1", "app:latest"))
	must(t, f.Close())
	d := daemon.Start(t, daemon.Options{})
	recs, err := d.Store("default").ImportArchive(t.Context(), path, "")
	must(t, err)
	var got []string
	for _, r := range recs {
		got = append(got, r.Name)
	}
	if diff := cmp.Diff([]string{"app:1", "app:latest"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
