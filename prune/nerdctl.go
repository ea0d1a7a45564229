package prune

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/leases/strictjson"
)

// The labels in which nerdctl keeps what a container mounts (its pkg/labels).
// Image mounts came after release 2.3.5. Each mount has a label of its own,
// with a number; older releases put all into one.
const (
	labelNerdctlViews  = "nerdctl/image-mount-snapshots"
	labelNerdctlMounts = "nerdctl/mounts"
)

// nerdctlMount is the part of a mount that tells an image mount.
type nerdctlMount struct{ Type, Source string }

// nerdctlUses returns the uses of a container's image mounts (--mount
// type=image): the name that was typed, and the view that nerdctl made of it,
// which nothing but a label ties to the container.
func nerdctlUses(c containers.Container) ([]Use, error) {
	label, ok := c.Labels[labelNerdctlViews]
	if !ok {
		return nil, nil
	}
	var views []string
	if err := strictjson.Unmarshal([]byte(label), &views); err != nil {
		return nil, fmt.Errorf("label %s of container %q cannot be read: %w", labelNerdctlViews, c.ID, err)
	}
	mounts, err := nerdctlMounts(c.Labels)
	if err != nil {
		return nil, fmt.Errorf("the mounts of container %q cannot be read: %w", c.ID, err)
	}
	holder := holderOf(c)
	holder.State = "image mount"
	var uses []Use
	for _, view := range views {
		uses = append(uses, Use{Holder: holder, Snapshot: SnapshotKey{c.Snapshotter, view}})
	}
	for _, m := range mounts {
		if m.Type == "image" {
			uses = append(uses, Use{Holder: holder, Image: m.Source})
		}
	}
	return uses, nil
}

// nerdctlMounts reads the mounts from their labels.
func nerdctlMounts(labels map[string]string) ([]nerdctlMount, error) {
	var mounts []nerdctlMount
	if all := labels[labelNerdctlMounts]; all != "" {
		err := strictjson.Unmarshal([]byte(all), &mounts)
		return mounts, err
	}
	for i := 0; ; i++ {
		one, ok := labels[fmt.Sprintf("%s.%d", labelNerdctlMounts, i)]
		if !ok {
			return mounts, nil
		}
		var m nerdctlMount
		if err := strictjson.Unmarshal([]byte(one), &m); err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
}
