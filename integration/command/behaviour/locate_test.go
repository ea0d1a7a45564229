package behaviour_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// onMachine runs the command on a machine that differs in /run and /etc, which the script
// prepares.
func onMachine(t *testing.T, d, other *daemon.Daemon, script string, args ...string) programs.Result {
	t.Helper()
	const prepare = `
place() { mkdir -p "$(dirname "$1")" && ln -s "${2-$SOCKET}" "$1"; }
mount -t tmpfs none /run
mount -t tmpfs none /etc
mkdir -p /run/user/0
`
	command := append([]string{"--mount", "--propagation", "private", "sh", "-ec", prepare + script + "\nexec \"$@\"", "sh", binary}, args...)
	cmd := exec.Command("unshare", command...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "XDG_RUNTIME_DIR=/run/user/0", "SOCKET=" + d.Address(), "OTHER=" + other.Address()}
	return programs.Collect(t, cmd)
}

// A containerd is found where distributions have it, and where nerdctl or crictl are
// told that it is. One of several has to be chosen.
func TestContainerdIsFound(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts over /run and /etc, in a namespace of its own, which only root may")
	}
	t.Parallel()
	d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, NoSync: true})
	other := daemon.Start(t, daemon.Options{Version: parts.Containerd24, NoSync: true})
	const (
		standard = "/run/containerd/containerd.sock"
		k3s      = "/run/k3s/containerd/containerd.sock"
	)
	for name, c := range map[string]struct {
		script string
		args   []string
		code   int
		said   []string
	}{
		"nowhere":  {code: 4, said: []string{`cannot reach containerd at "` + standard + `": no such socket; is containerd running? Give its socket with --address`}},
		"standard": {script: "place " + standard},
		"k3s":      {script: "place " + k3s},
		"k0s":      {script: "place /run/k0s/containerd.sock"},
		"docker":   {script: "place /run/docker/containerd/containerd.sock"},
		"rootless": {script: "place /run/user/0/containerd/containerd.sock"},
		"crictl":   {script: "place /run/own/containerd.sock; echo 'runtime-endpoint: unix:///run/own/containerd.sock' > /etc/crictl.yaml"},
		"nerdctl":  {script: `place /run/own/x.sock; mkdir /etc/nerdctl; echo 'address = "unix:///run/own/x.sock"' > /etc/nerdctl/nerdctl.toml`},
		"nerdctl, and it is gone": {
			script: "place " + k3s + `; mkdir /etc/nerdctl; echo 'address = "/run/own/x.sock"' > /etc/nerdctl/nerdctl.toml`, code: 4,
			said: []string{`cannot reach containerd at "/run/own/x.sock": no such socket; is containerd running? Give its socket with --address. The address is from /etc/nerdctl/nerdctl.toml. There is a socket at "` + k3s + `"`},
		},
		"crictl cannot be read": {script: "place " + k3s + "; echo '[' > /etc/crictl.yaml", code: 2, said: []string{"reading containerd's address from /etc/crictl.yaml", "--address"}},
		"several": {
			script: "place " + standard + "; place " + k3s + " \"$OTHER\"", code: 2,
			said: []string{"2 containerds run on this machine: " + standard + " (standard), " + k3s + " (k3s or rke2); choose one with --address or --distribution"},
		},
		"one of several":                   {script: "place " + standard + "; place " + k3s + " \"$OTHER\"", args: []string{"--distribution", "k3s"}},
		"a distribution":                   {script: "place " + k3s, args: []string{"--distribution", "rke2"}},
		"a distribution that is not there": {script: "place " + k3s, args: []string{"--distribution", "k0s"}, code: 4, said: []string{"/run/k0s/containerd.sock", `There is a socket at "` + k3s + `"`}},
		"no such distribution":             {args: []string{"--distribution", "k4s"}, code: 2, said: []string{`--distribution: the distribution "k4s" is not known: did you mean k3s or k0s? choose one of standard, k3s,`}},
		"a distribution beside an address": {args: []string{"--distribution", "k3s", "--address", k3s}, code: 2, said: []string{"choose one of them"}},
		"a root above":                     {args: []string{"--root", filepath.Dir(d.Root())}, code: 4, said: []string{`There is a containerd root at "` + d.Root() + `"`}},
	} {
		t.Run(name, func(t *testing.T) {
			onMachine(t, d, other, c.script, append([]string{"df"}, c.args...)...).Want(t, c.code, c.said...)
		})
	}
}
