package inventory

import (
	"strings"
)

// labelDockerBundle is on every container that a Docker Engine runs (moby:
// daemon/internal/libcontainerd/remote, DockerContainerBundlePath).
const labelDockerBundle = "com.docker/engine.bundle.path"

// dockerIDLength is that of a container's ID, in hexadecimal digits.
const dockerIDLength = 64

// Docker says whether the namespace is a Docker Engine's: by its name, or
// because it holds Docker containers, running or stopped.
func (ns *Namespace) Docker() bool {
	return ns.Name == DockerNamespace || len(ns.DockerContainers()) > 0
}

// DockerContainers returns the snapshots of the Docker containers that the
// namespace has traces of, by container ID. One that runs is a container
// record; each, running or not, is a lease named after it that holds its
// snapshot and the "-init" one below. The snapshot is the zero value if only
// the record tells of the container.
func (ns *Namespace) DockerContainers() map[string]SnapshotKey {
	containers, _ := ns.dockerLeases()
	for _, c := range ns.Containers {
		if _, ok := c.Labels[labelDockerBundle]; ok && containers[c.ID] == (SnapshotKey{}) {
			containers[c.ID] = SnapshotKey{c.Snapshotter, c.SnapshotKey}
		}
	}
	return containers
}

// DockerLayers returns the snapshots that Docker keeps for other purposes than
// a container's own files, by the ID of their lease: image mounts, and steps
// of a build under way. They have no "-init" snapshot.
func (ns *Namespace) DockerLayers() map[string]SnapshotKey {
	_, others := ns.dockerLeases()
	return others
}

func (ns *Namespace) dockerLeases() (containers, others map[string]SnapshotKey) {
	containers, others = make(map[string]SnapshotKey), make(map[string]SnapshotKey)
	for _, lease := range ns.Leases {
		if !IsDockerID(lease.ID) {
			continue
		}
		var own SnapshotKey
		init := false
		for _, r := range lease.Resources {
			if snapshotter, ok := strings.CutPrefix(r.Type, "snapshots/"); ok && r.ID == lease.ID {
				own = SnapshotKey{snapshotter, r.ID}
			} else if ok && r.ID == lease.ID+"-init" {
				init = true
			}
		}
		switch {
		case init:
			containers[lease.ID] = own
		case own != SnapshotKey{}:
			others[lease.ID] = own
		}
	}
	return containers, others
}

// IsDockerID says whether a text is formed as the ID of a Docker container.
func IsDockerID(id string) bool {
	return len(id) == dockerIDLength && strings.Trim(id, "0123456789abcdef") == ""
}

// DockerNamespace is the one that a Docker Engine uses unless it is told otherwise.
const DockerNamespace = "moby"

// HistorySuffix ends the names of namespaces in which buildkit keeps its history.
const HistorySuffix = "_history"
