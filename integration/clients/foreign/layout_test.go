package foreign_test

import (
	"os"
	"testing"
)

const umociBase = "example.com/umoci"

// umociLayout lets umoci make an image with two layers, and names for both of its
// states.
func (b *bench) umociLayout() (layout string) {
	b.t.Helper()
	layout = b.path("umoci")
	b.umoci("init", "--layout", layout)
	b.umoci("new", "--image", layout+":empty")
	b.umoci("config", "--image", layout+":empty", "--tag", "first", "--config.cmd", "/bin/true")
	b.file("one", "one")
	b.umoci("insert", "--rootless", "--image", layout+":first", b.path("one"), "/one")
	bundle := b.path("bundle")
	b.umoci("unpack", "--rootless", "--image", layout+":first", bundle)
	b.file("bundle/rootfs/two", "two")
	b.umoci("repack", "--image", layout+":second", bundle)
	b.umoci("tag", "--image", layout+":second", "latest")
	b.umoci("gc", "--layout", layout)
	return layout
}

func (b *bench) file(name, text string) {
	b.t.Helper()
	b.must(os.WriteFile(b.path(name), []byte(text), 0o644))
}

// Of an image with several names that umoci made, what is in use stays by its
// name, with all of its layers, and it can be imported again.
func TestUmoci(t *testing.T) {
	each(t, func(b *bench) {
		archive := b.archive(b.umociLayout())
		b.imports(archive, "--base-name", umociBase)
		b.uses("user", umociBase+":first")
		report := b.prune(umociBase + ":first")
		if report.Counts.Remove != 3 || report.Reclaimed.Blobs == 0 || report.Reclaimed.Snapshots == 0 {
			b.t.Errorf("%+v, reclaimed %+v", report.Counts, report.Reclaimed)
		}
		first := b.image(umociBase + ":first").Target.Digest

		b.imports(archive, "--base-name", umociBase)
		if again := b.image(umociBase + ":first").Target.Digest; again != first {
			b.t.Errorf("imported again it is %s, not %s", again, first)
		}
		b.uses("another", umociBase+":latest")
		b.ended("user")
		b.prune(umociBase + ":latest")
		b.ended("another")
		b.prune()
	})
}

// An image that skopeo carries into a layout and out of it comes back as it was,
// after containerd lost it to a prune, too.
func TestSkopeo(t *testing.T) {
	each(t, func(b *bench) {
		from, layout, docker := b.umociLayout(), b.path("skopeo"), b.path("docker.tar")
		b.skopeo("copy", "oci:"+from+":second", "oci:"+layout+":1")
		b.skopeo("copy", "oci:"+layout+":1", "oci:"+layout+":2")
		b.skopeo("copy", "oci:"+layout+":1", "docker-archive:"+docker+":example.com/docker:1")
		archive := b.archive(layout)
		b.imports(archive, "--base-name", "example.com/skopeo")
		b.imports(docker)
		target := b.image("example.com/skopeo:1").Target
		b.uses("user", "example.com/docker:1")
		b.prune("example.com/docker:1") // its layers have the same chain, its manifest is another one

		b.imports(archive, "--base-name", "example.com/skopeo")
		if again := b.image("example.com/skopeo:2").Target; again.Digest != target.Digest {
			b.t.Errorf("imported again it is %s, not %s", again.Digest, target.Digest)
		}
		b.uses("another", "example.com/skopeo:2")
		b.prune("example.com/docker:1", "example.com/skopeo:2")
		b.run(b.Ctr(), "--address", b.Address(), "images", "export", "--platform", "linux/amd64", b.path("out.tar"), "example.com/skopeo:2")
		b.skopeo("copy", "oci-archive:"+b.path("out.tar"), "oci:"+b.path("out")+":1")
	})
}
