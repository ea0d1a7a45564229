package peers

import (
	"fmt"
	"testing"

	"github.com/moby/moby/client"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

var worlds = []world{
	{
		title: "containerd", namespace: "default", names: named, furnish: plain,
		options:  func(testing.TB) daemon.Options { return daemon.Options{} },
		programs: []program{{name: "`ctr-prune -a -f`", short: "ctr-prune", run: ours, ours: true}, {name: "`ctr images prune --all`", short: "ctr", run: ctr}},
	},
	{
		title: "kubernetes", namespace: cri.Namespace, names: criNames, more: pause, furnish: pods,
		options:  func(tb testing.TB) daemon.Options { return cri.Options(tb, parts.Containerd24) },
		programs: []program{{name: "`ctr-prune -a -f`", short: "ctr-prune", run: ours, ours: true}, {name: "CRI calls of `crictl rmi --prune`", short: "crictl", run: rmiPrune}},
	},
	{
		title: "docker", namespace: docker.Namespace, names: named, furnish: engine,
		options:  func(tb testing.TB) daemon.Options { o := cri.Options(tb, parts.Containerd24); o.CRI = false; return o },
		programs: []program{{name: "`ctr-prune -a -f`", short: "ctr-prune", run: ours, ours: true}, {name: "`docker image prune -a` (the Engine's API)", short: "dockerd", run: imagesPrune}},
	},
}

// plain makes containers as nerdctl and users of containerd's own client do.
func plain(t *testing.T, s *scene) {
	store, ctx := s.Store(s.namespace), t.Context()
	s.each("by its name", func(i int, img *imagestore.Image) {
		s.must(t, store.NerdctlContainer(ctx, fmt.Sprintf("c%05d", i), fmt.Sprint("n", i), tag(i), img))
	})
	// A name that is built anew moves, and the old image keeps a record that
	// nobody would type.
	i, img := s.take("by a name that moved since")
	s.must(t, store.NerdctlContainer(ctx, "moved", "moved", tag(i), img),
		store.Tag(ctx, tag(i), imagestore.NoneDangling(img.Target.Digest)),
		store.Tag(ctx, tag(s.spare()), tag(i)))
	i, img = s.take("by a name that was removed, with another left")
	s.must(t, store.NerdctlContainer(ctx, "renamed", "renamed", tag(i), img),
		store.Tag(ctx, tag(i), "registry.example/other:1"), store.Untag(ctx, tag(i)))
	_, img = s.take("by its digest")
	s.must(t, store.Container(ctx, imagestore.ContainerSpec{ID: "digest", Image: img.Target.Digest.String(), Of: img}))
}

func criNames(i int, img *imagestore.Image) []string {
	return imagestore.CRINames(fmt.Sprintf("registry.example/app-%05d", i), "1", img)
}

func pause(t *testing.T, s imagestore.Store) {
	img := cri.Pause(t, imagestore.New(7))
	if err := s.Add(t.Context(), img, cri.PauseName, img.Config.Desc.Digest.String()); err != nil {
		t.Fatal(err)
	}
}

// pods makes containers in a real pod; the images hold nothing to run, so they
// are created and not started.
func pods(t *testing.T, s *scene) {
	s.node = cri.On(t, s.Daemon)
	s.node.Settle()
	pod := s.node.Pod("app")
	s.each("by its ID, as the kubelet does", func(i int, img *imagestore.Image) {
		pod.Create(cri.Container{Name: fmt.Sprint("c", i), Image: img.Config.Desc.Digest.String()})
	})
	i, _ := s.take("as an image volume")
	runs, app := s.take("by its ID, as the kubelet does")
	pod.Create(cri.Container{Name: fmt.Sprint("c", runs), Image: app.Config.Desc.Digest.String(), Volume: tag(i)})
	i, _ = s.take("by a tag that moved since")
	pod.Create(cri.Container{Name: "moved", Image: tag(i)})
	s.node.Tag(tag(s.spare()), tag(i))
}

// engine makes containers with a real Docker Engine, which are not started.
func engine(t *testing.T, s *scene) {
	s.engine = docker.On(t, s.Daemon)
	s.each("by its name", func(i int, _ *imagestore.Image) {
		s.engine.Create(fmt.Sprint("c", i), tag(i))
	})
	i, _ := s.take("by a name that moved since")
	s.engine.Create("moved", tag(i))
	s.engine.Tag(tag(s.spare()), tag(i))
	i, _ = s.take("by a name that was removed, with another left")
	s.engine.Create("renamed", tag(i))
	s.engine.Tag(tag(i), "registry.example/other:1")
	if _, err := s.engine.API.ImageRemove(t.Context(), tag(i), client.ImageRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	_, img := s.take("by the beginning of its ID")
	s.engine.Create("short", img.Target.Digest.Encoded()[:12])
}
