package clients

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// The labels in which nerdctl keeps what a container mounts (its pkg/labels).
// Image mounts came after release 2.3.5. Each mount has a label of its own,
// with a number; older releases put all into one.
const (
	LabelNerdctlViews  = "nerdctl/image-mount-snapshots"
	LabelNerdctlMounts = "nerdctl/mounts"
)

// nerdctlMount is the part of a mount that tells an image mount.
type nerdctlMount struct{ Type, Source string }

// NerdctlUses returns the uses of a container's image mounts (--mount
// type=image): the name that was typed, and the view that nerdctl made of it,
// which nothing but a label ties to the container.
func NerdctlUses(c containers.Container) ([]inventory.Use, error) {
	label, ok := c.Labels[LabelNerdctlViews]
	if !ok {
		return nil, nil
	}
	var views []string
	if err := strictjson.Unmarshal([]byte(label), &views); err != nil {
		return nil, fmt.Errorf("label %s of container %q cannot be read: %w", LabelNerdctlViews, c.ID, err)
	}
	mounts, err := nerdctlMounts(c.Labels)
	if err != nil {
		return nil, fmt.Errorf("the mounts of container %q cannot be read: %w", c.ID, err)
	}
	holder := inventory.HolderOf(c)
	holder.State = "image mount"
	var uses []inventory.Use
	for _, view := range views {
		uses = append(uses, inventory.Use{Holder: holder, Snapshot: inventory.SnapshotKey{Snapshotter: c.Snapshotter, Key: view}})
	}
	var names []string
	for _, m := range mounts {
		if m.Type == "image" {
			names = append(names, m.Source)
		}
	}
	if len(names) == len(views) { // both are in the order of the mounts
		for i, name := range names {
			uses[i].Image = name
		}
		return uses, nil
	}
	for _, name := range names {
		uses = append(uses, inventory.Use{Holder: holder, Image: name})
	}
	return uses, nil
}

// nerdctlMounts reads the mounts from their labels.
func nerdctlMounts(labels map[string]string) ([]nerdctlMount, error) {
	var mounts []nerdctlMount
	if all := labels[LabelNerdctlMounts]; all != "" {
		err := strictjson.Unmarshal([]byte(all), &mounts)
		return mounts, err
	}
	for i := 0; ; i++ {
		one, ok := labels[fmt.Sprintf("%s.%d", LabelNerdctlMounts, i)]
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
