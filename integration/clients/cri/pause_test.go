package cri_test

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// CRI labels the pause image of its configuration only if that spells it as
// the record does. However it is spelled, it stays when no pod stands, and pods
// can be run afterwards.
func TestPauseImageHoweverSpelled(t *testing.T) {
	program := programs.Build(t)
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		for _, spelled := range pauseSpellings(n.Base, version) {
			n.ConfigurePause(spelled)
			record := usePauseAs(t, n, spelled)
			unused := n.Pulled("docker.io/library/unused", "1")
			code, stdout, stderr := command(t, program, n, "-a", "--dry-run", "--no-trunc")
			if code != 0 || !strings.Contains(stdout, "in use by CRI as its sandbox (pause) image") {
				t.Errorf("%s: exit %d, and no such reason in %s%s", spelled, code, stdout, stderr)
			}
			code, stdout, stderr = command(t, program, n, "-a", "-f")
			if code != 0 || !strings.Contains(stdout, unused.Config.Desc.Digest.String()) {
				t.Errorf("%s: exit %d, %s%s", spelled, code, stdout, stderr)
			}
			if _, left := n.Capture().Namespaces[cri.Namespace].Images[record]; !left {
				t.Errorf("%s: the record %s is gone", spelled, record)
				continue
			}
			pod, err := n.TryPod(t.Context(), "after")
			if err != nil {
				t.Fatalf("%s: no pod can be run after the prune: %v", spelled, err)
			}
			pod.Remove()
		}
	})
}

// pauseSpellings are ways in which a configuration may name an image. An image
// ID is one for 1.7 only.
func pauseSpellings(img *imagestore.Image, version parts.Part) []string {
	spellings := []string{
		"localhost/kubernetes/pause", "pause:7", "registry.example/pause@" + img.Target.Digest.String(),
		"registry.example/pause:7@" + img.Target.Digest.String(),
	}
	if version == parts.Containerd17 {
		spellings = append(spellings, img.Config.Desc.Digest.String())
	}
	return spellings
}

// usePauseAs leaves the pause image in the store as the only one, under the
// name by which CRI will look for it.
func usePauseAs(t *testing.T, n *cri.Node, spelled string) (record string) {
	t.Helper()
	record = "other.example/sandbox:1" // CRI finds an image ID by any name
	if _, err := digest.Parse(spelled); err != nil {
		ref, err := reference.ParseDockerRef(spelled)
		if err != nil {
			t.Fatal(err)
		}
		record = ref.String()
	}
	var old []string
	for name := range n.Capture().Namespaces[cri.Namespace].Images {
		old = append(old, name)
	}
	if err := n.Store(cri.Namespace).Untag(t.Context(), old...); err != nil {
		t.Fatal(err)
	}
	n.Add(n.Base, record)
	return record
}
