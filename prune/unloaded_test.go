package prune

import "testing"

// Nobody can see on which image a container stands whose snapshotter is not
// loaded, and what the container calls it may be another image by now.
func TestContainerOfAnUnloadedSnapshotter(t *testing.T) {
	const closed = `keep: container c stands on a snapshot of "gone", which containerd has not loaded, so that its image cannot be told: load that snapshotter again, or remove what uses it`
	cri := func(ref string) attr {
		return extension(extensionCRIContainer, `{"Version":"v1","Metadata":{"ImageRef":"`+ref+`"}}`)
	}
	nameless := "overlayfs@" + dig("a").String()
	images := []thing{blob("b"), blob("a"), record("docker.io/library/x:1", "b"), record(nameless, "a")}
	for title, c := range map[string]struct {
		container thing
		want      []string
	}{
		"by a name that moved": {
			container("c", "docker.io/library/x:1", "rw", in("gone")),
			[]string{"docker.io/library/x:1: " + closed, "overlayfs@«a»: " + closed},
		},
		"by a digest": { // CRI tells what it uses, wherever it stands
			container("c", "docker.io/library/x:1", "rw", in("gone"), cri(dig("a").String())),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: keep: stands in for an image in use by container c"},
		},
		"without a snapshot": {
			container("c", "docker.io/library/x:1", "", in("gone")),
			[]string{"docker.io/library/x:1: keep: in use by container c", "overlayfs@«a»: remove: unused and dangling"},
		},
	} {
		t.Run(title, func(t *testing.T) { checkDecided(t, "default", all(), with(images, c.container), c.want) })
	}
}
