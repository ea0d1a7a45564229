package nerdctl_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/clients/nerdctl"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// bench is a daemon with a builder of images.
type bench struct {
	*daemon.Daemon
	t     *testing.T
	build *imagestore.Builder
}

func each(t *testing.T, test func(t *testing.T, b bench)) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		test(t, bench{daemon.Start(t, daemon.Options{Version: version}), t, imagestore.New(11)})
	})
}

// image puts an image of its own into a namespace under names.
func (b bench) image(namespace string, names ...string) *imagestore.Image {
	b.t.Helper()
	img := b.build.Image(imagestore.Spec{Layers: 2, LayerBytes: 4 << 10})
	b.add(namespace, img, names...)
	return img
}

func (b bench) add(namespace string, img *imagestore.Image, names ...string) {
	b.t.Helper()
	if err := b.Store(namespace).Add(b.t.Context(), img, names...); err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) create(namespace string, c nerdctl.Container) {
	b.t.Helper()
	if err := nerdctl.Create(b.t.Context(), b.Store(namespace), c); err != nil {
		b.t.Fatal(err)
	}
}

// result is what was planned, done and left.
type result struct {
	reasons map[string]string // by "namespace name", of every record
	report  *prune.Report
	left    map[string][]string // names by namespace
}

// prune runs by a policy and lets the oracle check what was done.
func (b bench) prune(policy prune.Policy) result {
	b.t.Helper()
	before := b.Capture()
	r := result{reasons: map[string]string{}, left: map[string][]string{}}
	r.report = pruning.Run(b.t, b.Address(), policy, pruning.None, nil)
	for _, d := range r.report.Plan.Decisions {
		r.reasons[d.Namespace+" "+d.Name] = d.Reason
	}
	after := b.Capture()
	if err := oracle.Check(before, after); err != nil {
		b.t.Errorf("the prune did harm: %v", err)
	}
	var freed int64
	for digest, size := range before.Files {
		if _, ok := after.Files[digest]; !ok {
			freed += size
		}
	}
	if freed != r.report.Reclaimed.ContentBytes {
		b.t.Errorf("the disk gave back %d bytes, the report says %d", freed, r.report.Reclaimed.ContentBytes)
	}
	for name, ns := range after.Namespaces {
		r.left[name] = slices.Sorted(maps.Keys(ns.Images))
	}
	return r
}

func (b bench) want(r result, namespace string, names ...string) {
	b.t.Helper()
	slices.Sort(names)
	if diff := cmp.Diff(names, r.left[namespace]); diff != "" {
		b.t.Errorf("records of %s (-want +got):\n%s", namespace, diff)
	}
}

func (b bench) wantReason(r result, record, want string) {
	b.t.Helper()
	if got := r.reasons[record]; got != want {
		b.t.Errorf("reason of %s: %q, want %q", record, got, want)
	}
}

func TestContainersKeepTheirImages(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.image("default", "docker.io/library/web:1", "docker.io/library/web:latest")
		db := b.image("default", "registry.example/db:17")
		byDigest := "registry.example/db@" + db.Target.Digest.String()
		b.add("default", db, byDigest)
		b.image("default", "docker.io/library/shop-api:latest")
		b.image("default", "docker.io/library/unused:1")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/web:1"})
		b.create("default", nerdctl.Container{ID: "2f00", Name: "db", Image: byDigest})
		b.create("default", nerdctl.Container{ID: "3f00", Name: "shop-api-1", Project: "shop", Service: "api", Image: "docker.io/library/shop-api:latest"})

		r := b.prune(pruning.All("default"))
		b.want(r, "default", "docker.io/library/web:1", byDigest, "docker.io/library/shop-api:latest")
		b.wantReason(r, "default docker.io/library/web:1", "in use by container web-1 (nerdctl)")
		b.wantReason(r, "default "+byDigest, "in use by container db (nerdctl)")
		b.wantReason(r, "default docker.io/library/shop-api:latest", "in use by container shop-api-1 (nerdctl)")
	})
}

// nerdctl stores no digest: when the name moves, only the container's snapshot
// tells what it runs. `nerdctl build` leaves the old image as <none>@….
func TestRebuiltImageOfAContainerStays(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		old := b.image("default", "docker.io/library/app:1")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1"})
		dangling := imagestore.NoneDangling(old.Target.Digest)
		b.add("default", old, dangling)
		b.image("default", "docker.io/library/app:1")
		stray := b.image("default")
		b.add("default", stray, imagestore.NoneDangling(stray.Target.Digest))

		r := b.prune(pruning.Dangling("default"))
		b.want(r, "default", "docker.io/library/app:1", dangling)
		b.wantReason(r, "default "+dangling,
			"stands in for an image in use by container web-1 (nerdctl), whose snapshot is based on it")
		b.wantReason(r, "default docker.io/library/app:1", "in use by container web-1 (nerdctl)")
	})
}

func TestDanglingNames(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, prefix := range []string{
			"<none>",            // nerdctl build without a tag
			"import",            // nerdctl load of an image without a name
			"import-2026-07-01", // ctr image import --digests
			"overlayfs",         // nerdctl load of older releases
		} {
			img := b.image("default")
			b.add("default", img, prefix+"@"+img.Target.Digest.String())
		}
		removed := b.image("default")
		b.add("default", removed, removedForce, removedForce+removed.Target.Digest.String())
		named := b.image("default", "docker.io/library/app:1")
		digested := "docker.io/library/app@" + named.Target.Digest.String()
		b.add("default", named, digested)
		r := b.prune(pruning.Dangling("default"))
		b.want(r, "default", "docker.io/library/app:1", digested)
	})
}

// `nerdctl run --mount type=image,source=models:1`: the container names its
// own image only; a rooted view and two labels tell of the other.
func TestImageMountsStay(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.image("default", "docker.io/library/app:1")
		b.image("default", "docker.io/library/models:1", "docker.io/library/models:latest")
		rules := b.image("default", "docker.io/library/rules:1")
		b.image("default", "docker.io/library/unused:1")
		b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1", Mounts: map[string]string{
			"models:1": "docker.io/library/models:1", "rules:1": "docker.io/library/rules:1",
		}})
		// A name that moved: only the view tells.
		if err := b.Store("default").Untag(t.Context(), "docker.io/library/rules:1"); err != nil {
			t.Fatal(err)
		}
		b.add("default", rules, "docker.io/library/rules:old")

		r := b.prune(pruning.All("default"))
		b.want(r, "default", "docker.io/library/app:1", "docker.io/library/models:1", imagestore.NoneDangling(rules.Target.Digest))
		b.wantReason(r, "default docker.io/library/models:1", "in use by container web-1 (nerdctl), image mount")
		if got := r.reasons["default docker.io/library/rules:old"]; !strings.Contains(got, "in use by container web-1 (nerdctl), image mount") {
			t.Errorf("reason of the stand-in: %q", got)
		}
	})
}

func TestSeveralNamespaces(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		shared := b.image("default", "docker.io/library/app:1")
		b.add("shop", shared, "docker.io/library/app:1")
		b.image("shop", "docker.io/library/unused:1")
		b.image("k8s.io", "docker.io/library/built:1")
		b.image("k8s.io", "docker.io/library/stray:1")
		b.create("shop", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1"})
		b.create("k8s.io", nerdctl.Container{ID: "1f00", Name: "tool", Image: "docker.io/library/built:1"})

		// The blobs that default gives up are still those of shop.
		r := b.prune(pruning.All("default"))
		b.want(r, "default")
		if got := r.report.Reclaimed; got.ContentBytes != 0 {
			t.Errorf("reclaimed %+v", got)
		}
		r = b.prune(pruning.All())
		b.want(r, "shop", "docker.io/library/app:1")
		b.want(r, "k8s.io", "docker.io/library/built:1")
		b.wantReason(r, "shop docker.io/library/app:1", "in use by container web-1 (nerdctl)")
		b.wantReason(r, "k8s.io docker.io/library/built:1", "in use by container tool (nerdctl)")
	})
}

// What a container mounts cannot be read: nothing is removed beside it.
func TestMountsThatDoNotDecodeCloseTheNamespace(t *testing.T) {
	for name, labels := range map[string]map[string]string{
		"views":     {"nerdctl/image-mount-snapshots": `["a`},
		"one mount": {"nerdctl/image-mount-snapshots": `["a"]`, "nerdctl/mounts.0": `{"Type":7}`},
		"mounts":    {"nerdctl/image-mount-snapshots": `["a"]`, "nerdctl/mounts": `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := daemon.Start(t, daemon.Options{})
			d.Expect(prune.ProblemUnreadable)
			b := bench{d, t, imagestore.New(11)}
			b.image("default", "docker.io/library/app:1")
			b.image("default", "docker.io/library/unused:1")
			b.image("shop", "docker.io/library/unused:1")
			b.create("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/app:1", Labels: labels})
			r := b.prune(pruning.All())
			b.want(r, "default", "docker.io/library/app:1", "docker.io/library/unused:1")
			b.want(r, "shop")
			refused := r.report.Plan.Refused
			if len(refused) != 1 || refused[0].Namespace != "default" || !strings.Contains(refused[0].Reason, "1f00") {
				t.Errorf("refused %+v", refused)
			}
		})
	}
}
