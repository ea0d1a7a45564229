package prune

import "strings"

// unpackPrefix is what the key of a snapshot begins with that an unpack works
// in (core/unpack and client, UnpackKeyPrefix): its image has no record yet or
// is being pulled again.
const unpackPrefix = "extract-"

// addBeginnings adds what is about to be a container: a writable snapshot that
// was not there in an earlier reading and that no container has yet. A client
// that creates a container looks the image up, prepares the snapshot, and
// records the container last, which with a large image can take a while. It
// has not said by which name it knows the image, so all of its names count.
func (inv *Inventory) addBeginnings(before *Inventory) {
	for _, ns := range inv.Namespaces {
		known := before.Namespace(ns.Name)
		if known == nil {
			continue
		}
		owned := make(map[SnapshotKey]bool, len(ns.Containers))
		for _, c := range ns.Containers {
			owned[SnapshotKey{c.Snapshotter, c.SnapshotKey}] = true
		}
		for key, snapshot := range ns.Snapshots {
			_, old := known.Snapshots[key]
			if old || owned[key] || !isActive(snapshot) || strings.HasPrefix(key.Key, unpackPrefix) {
				continue
			}
			ns.Uses = append(ns.Uses, Use{
				Holder: Holder{Kind: "a container that is being created,", ID: key.Key}, Snapshot: key, Begun: true,
			})
		}
	}
}
