package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Gone returns a source for a machine on which Docker no longer runs, because it
// was uninstalled or cannot start. It takes the word of the user for it, and
// refuses as long as there is a sign of Docker: one of the sockets, a process, or
// a unit that would start it. machine is the root directory of the machine.
//
// What is in use is then what containerd knows: every container of Docker's, also
// a stopped one, has a lease on its files, and these are based on its image. What
// nobody knows is under which name a container calls its image.
func Gone(machine fs.FS, sockets ...string) prune.Source { return gone{machine, sockets} }

type gone struct {
	machine fs.FS
	sockets []string
}

// Uses implements [prune.Source].
func (g gone) Uses(_ context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	ns := asked.Namespace
	if !ns.Docker() {
		return nil, false, nil
	}
	if err := g.contradicted(); err != nil {
		return nil, false, &prune.CodeError{Code: "docker-not-gone", Err: fmt.Errorf("it is said that Docker is gone, but %w", err)}
	}
	uses := append(basedOn(kindContainer, ns.DockerContainers()), basedOn(kindLayer, ns.DockerLayers())...)
	return uses, true, nil
}

// basedOn are the uses of what has layers, by their IDs.
func basedOn(kind string, layers map[string]prune.SnapshotKey) (uses []prune.Use) {
	for _, id := range slices.Sorted(maps.Keys(layers)) {
		if own := layers[id]; own != (prune.SnapshotKey{}) {
			uses = append(uses, prune.Use{Holder: prune.Holder{Kind: kind, ID: id, Name: short(id)}, Snapshot: own})
		}
	}
	return uses
}

// contradicted returns an error that names a sign of Docker.
func (g gone) contradicted() error {
	for _, socket := range g.sockets {
		path := strings.TrimPrefix(strings.TrimPrefix(socket, "unix://"), "/")
		if _, err := fs.Stat(g.machine, path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("its socket /%s exists: ask the Engine there, or remove it if nobody listens", path)
		}
	}
	if err := g.process(); err != nil {
		return err
	}
	return g.unit()
}

// process returns an error if a Docker Engine runs, whoever's it is, or if the
// processes of the machine cannot be seen.
func (g gone) process() error {
	if _, err := fs.ReadFile(g.machine, "proc/1/comm"); err != nil {
		return fmt.Errorf("the processes of this machine cannot be seen: run as root: %w", err)
	}
	names, err := fs.Glob(g.machine, "proc/[0-9]*/comm")
	if err != nil {
		return fmt.Errorf("the processes of this machine cannot be listed: %w", err)
	}
	for _, name := range names {
		comm, err := fs.ReadFile(g.machine, name)
		if err != nil {
			continue // it has ended
		}
		if strings.TrimSpace(string(comm)) == "dockerd" {
			return fmt.Errorf("dockerd runs as process %s", strings.Split(name, "/")[1])
		}
	}
	return nil
}

// units are where an init system notes what it starts: systemd, System V, OpenRC.
var units = []string{
	"etc/systemd/system/*.wants/docker.s*", "etc/systemd/system/*.requires/docker.s*", "run/systemd/system/*.wants/docker.s*",
	"etc/rc[2-5].d/S*docker", "etc/runlevels/*/docker",
}

// unit returns an error if Docker would be started with the machine. A link
// that an uninstalled package has left leads nowhere.
func (g gone) unit() error {
	for _, pattern := range units {
		found, err := fs.Glob(g.machine, pattern)
		if err != nil {
			return fmt.Errorf("the units of this machine cannot be listed: %w", err)
		}
		for _, name := range found {
			if _, err := fs.Stat(g.machine, name); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("it is started with the machine, because of /%s: disable it first, its service and its socket", name)
			}
		}
	}
	return nil
}
