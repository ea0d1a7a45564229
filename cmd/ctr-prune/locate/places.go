package locate

import (
	"path/filepath"
	"slices"
)

// Place is where a distribution has its containerd.
type Place struct {
	// Distributions have their containerd here. The first is the best known.
	Distributions []string
	Socket, Root  string
}

// Standard is the socket that containerd itself uses unless it is told otherwise.
const Standard = "/run/containerd/containerd.sock"

// wellKnown are the places, in the order in which they are looked at. K3s and RKE2 share
// a socket, and only one of them can run. The documentation of each has its paths: of k0s
// docs/runtime.md, of MicroK8s microk8s-resources/default-args/containerd.
var wellKnown = []Place{
	{[]string{"standard"}, Standard, "/var/lib/containerd"},
	{[]string{"k3s", "rke2"}, "/run/k3s/containerd/containerd.sock", "/var/lib/rancher/k3s/agent/containerd"},
	{[]string{"k0s"}, "/run/k0s/containerd.sock", "/var/lib/k0s/containerd"},
	{[]string{"microk8s"}, "/var/snap/microk8s/common/run/containerd.sock", "/var/snap/microk8s/common/var/lib/containerd"},
	{[]string{"docker"}, "/run/docker/containerd/containerd.sock", "/var/lib/docker/containerd/daemon"},
}

// rke2Root is where RKE2 has what K3s has elsewhere.
const rke2Root = "/var/lib/rancher/rke2/agent/containerd"

// rootless is the containerd of an unprivileged user, as nerdctl's scripts set it up.
const rootless = "rootless"

// places lists all of them on this machine.
func (m Machine) places() []Place {
	all := slices.Clone(wellKnown)
	if dir := m.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		all = append(all, Place{[]string{rootless}, filepath.Join(dir, "containerd/containerd.sock"), filepath.Join(m.data(), "containerd")})
	}
	return all
}

// data is where programs of this user keep what they store (XDG Base Directory
// Specification).
func (m Machine) data() string {
	if dir := m.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(m.Getenv("HOME"), ".local/share")
}

// Distributions are the names that [Machine.Socket] accepts.
func Distributions() (names []string) {
	for _, p := range wellKnown {
		names = append(names, p.Distributions...)
	}
	return append(names, rootless)
}
