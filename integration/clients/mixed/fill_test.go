package mixed_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
	"github.com/ctr-prune/ctr-prune/integration/clients/nerdctl"
)

// fill gives every client images in use, each by another way, and unused
// ones. It returns the names that must be left, without those that CRI makes
// beside a tag.
func (n *node) fill() map[string][]string {
	n.t.Helper()
	left := map[string][]string{builds: {"docker.io/library/tools:1"}}
	left[cri.Namespace] = n.fillPods()
	left[docker.Namespace] = n.fillDocker()
	left["default"] = n.fillNerdctl()

	n.rebuilt("example.com/built:1")
	n.write("data", "2")
	n.rebuilt("example.com/built:2")
	n.add(builds, "docker.io/library/tools:1")
	n.nerdctl(builds, nerdctl.Container{ID: "b001", Name: "tools", Image: "docker.io/library/tools:1"})

	tool := n.add(plain, "registry.example/tool:1", "registry.example/tool:2")
	n.container("by-name", "registry.example/tool:1", tool)
	digested := n.add(plain, "registry.example/digested:1")
	n.container("by-digest", digested.Target.Digest.String(), digested)
	left[plain] = []string{imagestore.NoneDangling(digested.Target.Digest), "registry.example/tool:1"}

	n.unused()
	return left
}

// unused gives every namespace an image that nobody uses, and two of them one
// and the same.
func (n *node) unused() {
	n.t.Helper()
	n.Pulled("docker.io/library/unused", "1")
	n.engine.Image("docker.io/library/unused:1")
	n.add(builds, "docker.io/library/unused:1")
	both := n.add("default", "docker.io/library/unused:1")
	n.put(plain, both, "docker.io/library/unused:1")
	n.collect()
}

func (n *node) fillPods() []string {
	n.Pulled("docker.io/library/app", "1")
	n.Pulled("docker.io/library/next", "1")
	n.Pod("api").Run(cri.Container{Name: "app", Image: "app:1"})
	return []string{"docker.io/library/app:1", "docker.io/library/next:1", cri.PauseName}
}

func (n *node) fillDocker() []string {
	n.engine.Image("docker.io/library/web:1")
	n.engine.Run("running", "web:1")
	n.engine.Image("docker.io/library/job:1")
	n.engine.Run("stopped", "job:1")
	n.engine.StopContainer("stopped")
	n.engine.Image("docker.io/library/fresh:1")
	n.engine.Create("created", "fresh:1")
	// The tag moves: the container's image has only a stand-in.
	moved := n.engine.Image("docker.io/library/moved:1")
	n.engine.Create("moved", "moved:1")
	n.engine.Image("docker.io/library/moved:1")
	return []string{
		"docker.io/library/fresh:1", "docker.io/library/job:1", "docker.io/library/moved:1", "docker.io/library/web:1",
		"moby-dangling@" + moved.Target.Digest.String(),
	}
}

// fillNerdctl leaves a container whose name was built anew since.
func (n *node) fillNerdctl() []string {
	old := n.add("default", "docker.io/library/front:1")
	n.nerdctl("default", nerdctl.Container{ID: "1f00", Name: "web-1", Image: "docker.io/library/front:1"})
	dangling := imagestore.NoneDangling(old.Target.Digest)
	n.put("default", old, dangling)
	front := n.add("default", "docker.io/library/front:1")
	n.put(plain, front, "docker.io/library/front:1") // unused there
	return []string{dangling, "docker.io/library/front:1"}
}

func (n *node) nerdctl(namespace string, c nerdctl.Container) {
	n.t.Helper()
	if err := nerdctl.Create(n.t.Context(), n.Store(namespace), c); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) container(id, image string, of *imagestore.Image) {
	n.t.Helper()
	spec := imagestore.ContainerSpec{ID: id, Image: image, Of: of}
	if err := n.Store(plain).Container(n.t.Context(), spec); err != nil {
		n.t.Fatal(err)
	}
}

// records lists the names in each namespace, of CRI's only the tags.
func (n *node) records() map[string][]string {
	n.t.Helper()
	names := make(map[string][]string)
	for namespace, ns := range n.Capture().Namespaces {
		for _, name := range slices.Sorted(maps.Keys(ns.Images)) {
			if namespace == cri.Namespace && (strings.Contains(name, "@") || strings.HasPrefix(name, "sha256:")) {
				continue
			}
			names[namespace] = append(names[namespace], name)
		}
	}
	return names
}

// label sets a label of a container, or takes it away with an empty value.
func (n *node) label(namespace, id, key, value string) {
	n.t.Helper()
	s := n.Store(namespace)
	ctx := s.Context(context.WithoutCancel(n.t.Context()))
	c, err := s.Client.LoadContainer(ctx, id)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := c.SetLabels(ctx, map[string]string{key: value}); err != nil {
		n.t.Fatal(err)
	}
}
