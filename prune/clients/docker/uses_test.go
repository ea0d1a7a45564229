package docker

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune"
)

var (
	target   = digest.FromString("target")
	manifest = digest.FromString("manifest")
	id       = strings.Repeat("0123456789abcdef", 4)
)

func TestContainerUses(t *testing.T) {
	recorded := &prune.Namespace{Images: []images.Image{{Name: "x", Target: ocispec.Descriptor{Digest: target}}}}
	c := container.Summary{
		ID: id, Names: []string{"/brave_curie"}, ImageID: target.String(), State: container.StateExited,
		ImageManifestDescriptor: &ocispec.Descriptor{Digest: manifest},
	}
	own := prune.SnapshotKey{Snapshotter: "overlayfs", Key: id}
	holder := prune.Holder{Kind: "Docker container", ID: id, Name: "brave_curie", State: "stopped"}
	for _, x := range []struct {
		name  string
		ns    *prune.Namespace
		typed string
		want  []prune.Use
	}{
		{"by name", recorded, "app:1", []prune.Use{{Holder: holder, Image: "app:1", Digests: []digest.Digest{target}, Snapshot: own, Told: true}}},
		{"by tag and digest", recorded, "app:1@" + target.String(), []prune.Use{
			{Holder: holder, Image: "app:1@" + target.String(), Digests: []digest.Digest{target}, Snapshot: own, Told: true},
			{Holder: holder, Image: "docker.io/library/app:1", Digests: []digest.Digest{target}},
		}},
		{"its record is gone", &prune.Namespace{}, "app:1", []prune.Use{
			{Holder: holder, Image: "app:1", Digests: []digest.Digest{target, manifest}, Snapshot: own, Told: true},
		}},
	} {
		if diff := cmp.Diff(x.want, containerUses(targets(x.ns), c, x.typed, own)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.name, diff)
		}
	}
	if got := containerUses(targets(recorded), container.Summary{ID: id}, "", prune.SnapshotKey{}); got != nil {
		t.Errorf("a container of no image uses %v", got)
	}
	of := prune.Holder{Kind: "Docker container", ID: id, Name: id[:12]}
	if diff := cmp.Diff([]prune.Use{{Holder: of, Snapshot: own, Told: true}}, containerUses(targets(recorded), container.Summary{ID: id}, "", own)); diff != "" {
		t.Errorf("a container of no image that stands on something (-want +got):\n%s", diff)
	}
}

func TestHolder(t *testing.T) {
	for _, c := range []struct {
		state container.ContainerState
		names []string
		want  string
	}{
		{container.StateExited, []string{"/brave_curie"}, "Docker container brave_curie, stopped"},
		{container.StateCreated, []string{"/brave_curie", "/other/alias"}, "Docker container brave_curie, created"},
		{container.StateRestarting, []string{"/a"}, "Docker container a, restarting"},
		{container.StateRemoving, []string{"/a"}, "Docker container a, removing"},
		{container.StateDead, nil, "Docker container 0123456789ab, dead"},
		{container.StateDead, []string{"/"}, "Docker container 0123456789ab, dead"},
	} {
		got := holder(kindContainer, container.Summary{ID: id, Names: c.names, State: c.state}).String()
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The value was seen in a dockerd.
func TestMountLayer(t *testing.T) {
	const owner = "5e85496af475853028e05e1a627a5ff68b1c1d136d450ec908caa1cdbcd5490b"
	const want = "eb436c151e5e93bd41943c457b8b10e33020efa10f77a9078624a55e1eee179c"
	if got := mountLayer(owner, container.MountPoint{Type: mount.TypeImage, Name: "app:1", Destination: "/m"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWellFormed(t *testing.T) {
	good := container.Summary{ID: id, Image: "app:1", ImageID: target.String(), State: container.StateCreated}
	for _, c := range []struct {
		name   string
		change func(*container.Summary)
		want   string
	}{
		{"good", func(*container.Summary) {}, ""},
		{"no image at all", func(c *container.Summary) { c.Image, c.ImageID = "", "" }, ""},
		{"short ID", func(c *container.Summary) { c.ID = "0123" }, "the invalid ID"},
		{"ID that is none", func(c *container.Summary) { c.ID = strings.Repeat("x", 64) }, "the invalid ID"},
		{"image ID that is none", func(c *container.Summary) { c.ImageID = "app:1" }, "image ID"},
		{"no image ID", func(c *container.Summary) { c.ImageID = "" }, "image ID"},
		{"no state", func(c *container.Summary) { c.State = "" }, "state"},
	} {
		entry := good
		c.change(&entry)
		err := wellFormed([]container.Summary{entry})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if err := wellFormed([]container.Summary{good, good}); err == nil {
		t.Error("a container that is listed twice is well formed")
	}
}
