package locate_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/locate"
	"github.com/ctr-prune/ctr-prune/prune"
)

// machine is a machine in a directory of its own. Its path is short, because that
// of a socket must be.
type machine struct {
	t   *testing.T
	env map[string]string
	locate.Machine
}

func newMachine(t *testing.T) *machine {
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &machine{t: t, env: map[string]string{}}
	m.Machine = locate.Machine{Root: dir, Getenv: func(name string) string { return m.env[name] }}
	return m
}

func (m *machine) file(path, text string) {
	m.t.Helper()
	path = filepath.Join(m.Root, path)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
	if err != nil {
		m.t.Fatal(err)
	}
}

// listen makes a socket; one that is dead is left by a process that has ended.
func (m *machine) listen(path string, dead bool) {
	m.t.Helper()
	path = filepath.Join(m.Root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		m.t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if dead {
		err = l.Close()
	} else {
		m.t.Cleanup(func() { _ = l.Close() })
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

const (
	k3s      = "/run/k3s/containerd/containerd.sock"
	k0s      = "/run/k0s/containerd.sock"
	microk8s = "/var/snap/microk8s/common/run/containerd.sock"
	docker   = "/run/docker/containerd/containerd.sock"
	user     = "/run/user/1000/containerd/containerd.sock"
)

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		live, dead   []string
		files, env   map[string]string
		unprivileged bool
		want         string
	}{
		"nothing":                     {want: locate.Standard + "  <nil>"},
		"one":                         {live: []string{k3s}, want: k3s + "  <nil>"},
		"one that is dead":            {dead: []string{k0s}, want: k0s + "  <nil>"},
		"a dead one beside another":   {live: []string{microk8s}, dead: []string{locate.Standard}, want: microk8s + "  <nil>"},
		"several":                     {live: []string{k3s, locate.Standard, docker}, want: "  3 containerds run on this machine: " + locate.Standard + " (standard), " + k3s + " (k3s or rke2), " + docker + " (docker)"},
		"a rootless one":              {live: []string{user}, env: map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"}, want: user + "  <nil>"},
		"a rootless one of others":    {live: []string{user}, want: locate.Standard + "  <nil>"},
		"nerdctl's":                   {live: []string{k3s, locate.Standard}, files: map[string]string{"/etc/nerdctl/nerdctl.toml": "debug = true\naddress = \"unix://" + k3s + "\"\n"}, want: "unix://" + k3s + " /etc/nerdctl/nerdctl.toml <nil>"},
		"nerdctl's, of the user":      {files: map[string]string{"/etc/nerdctl/nerdctl.toml": `address = "/a/x.sock"`, "/home/u/.config/nerdctl/nerdctl.toml": `address = "/b/x.sock"`}, env: map[string]string{"HOME": "/home/u"}, unprivileged: true, want: "/b/x.sock /home/u/.config/nerdctl/nerdctl.toml <nil>"},
		"nerdctl's, by a variable":    {files: map[string]string{"/x.toml": `address = "/a/x.sock"`}, env: map[string]string{"NERDCTL_TOML": "/x.toml"}, want: "/a/x.sock /x.toml <nil>"},
		"nerdctl's without address":   {live: []string{k3s}, files: map[string]string{"/etc/nerdctl/nerdctl.toml": "debug = true\n"}, want: k3s + "  <nil>"},
		"nerdctl's that is damaged":   {live: []string{k3s}, files: map[string]string{"/etc/nerdctl/nerdctl.toml": "address = \n"}, want: " /etc/nerdctl/nerdctl.toml reading containerd's address from /etc/nerdctl/nerdctl.toml"},
		"crictl's":                    {live: []string{k3s, locate.Standard}, files: map[string]string{"/etc/crictl.yaml": "runtime-endpoint: unix://" + k3s + "\ntimeout: 2\n"}, want: k3s + " /etc/crictl.yaml <nil>"},
		"crictl's, without a scheme":  {files: map[string]string{"/etc/crictl.yaml": "runtime-endpoint: " + k3s + "\n"}, want: k3s + " /etc/crictl.yaml <nil>"},
		"crictl's, by variables":      {files: map[string]string{"/c.yaml": "runtime-endpoint: unix://" + k3s}, env: map[string]string{"CRI_CONFIG_FILE": "/c.yaml"}, want: k3s + " /c.yaml <nil>"},
		"crictl's endpoint":           {files: map[string]string{"/etc/crictl.yaml": "runtime-endpoint: unix://" + k3s}, env: map[string]string{"CONTAINER_RUNTIME_ENDPOINT": "unix://" + k0s}, want: k0s + " $CONTAINER_RUNTIME_ENDPOINT <nil>"},
		"crictl's of another runtime": {live: []string{locate.Standard}, files: map[string]string{"/etc/crictl.yaml": "runtime-endpoint: unix:///run/crio/crio.sock"}, want: locate.Standard + "  <nil>"},
		"crictl's that is damaged":    {live: []string{k3s}, files: map[string]string{"/etc/crictl.yaml": ":\n- ["}, want: "  reading containerd's address from /etc/crictl.yaml"},
		"nerdctl's before crictl's":   {files: map[string]string{"/etc/nerdctl/nerdctl.toml": `address = "/a/x.sock"`, "/etc/crictl.yaml": "runtime-endpoint: unix://" + k3s}, want: "/a/x.sock /etc/nerdctl/nerdctl.toml <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.Unprivileged = c.unprivileged
			for name, value := range c.env {
				m.env[name] = value
			}
			for _, path := range c.live {
				m.listen(path, false)
			}
			for _, path := range c.dead {
				m.listen(path, true)
			}
			for path, text := range c.files {
				m.file(path, text)
			}
			socket, from, err := m.Find()
			if got := fmt.Sprintf("%s %s %v", socket, from, err); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A socket that several paths lead to is one.
func TestOneSocketByTwoPaths(t *testing.T) {
	m := newMachine(t)
	m.listen(k3s, false)
	if err := errors.Join(os.MkdirAll(filepath.Join(m.Root, "run/containerd"), 0o700), os.Symlink(filepath.Join(m.Root, k3s), filepath.Join(m.Root, locate.Standard))); err != nil {
		t.Fatal(err)
	}
	if socket, _, err := m.Find(); socket != locate.Standard || err != nil {
		t.Errorf("found %s, %v", socket, err)
	}
	if others := m.Others(k3s); len(others) > 0 {
		t.Errorf("others are %q", others)
	}
}

func TestSocket(t *testing.T) {
	m := newMachine(t)
	for name, want := range map[string]string{
		"standard": locate.Standard, "k3s": k3s, "rke2": k3s, "k0s": k0s, "microk8s": microk8s, "docker": docker, "rootless": "$XDG_RUNTIME_DIR is not set",
		"minikube": `the distribution "minikube" is not known: choose one of standard, k3s, rke2, k0s, microk8s, docker, rootless`, "": `the distribution "" is not known`,
	} {
		socket, err := m.Socket(name)
		if err != nil {
			socket = err.Error()
		}
		if !strings.HasPrefix(socket, want) {
			t.Errorf("%q: %s, want %s", name, socket, want)
		}
	}
	m.env["XDG_RUNTIME_DIR"] = "/run/user/1000"
	if socket, err := m.Socket("rootless"); socket != user || err != nil {
		t.Errorf("rootless: %s, %v", socket, err)
	}
	if names := locate.Distributions(); !slices.Contains(names, "rootless") || len(names) != 7 {
		t.Errorf("distributions are %q", names)
	}
}

func TestRootsNear(t *testing.T) {
	const database = "/io.containerd.metadata.v1.bolt/meta.db"
	m := newMachine(t)
	for _, root := range []string{"/var/lib/containerd", "/var/lib/rancher/rke2/agent/containerd", "/data/a/containerd", "/data/b"} {
		m.file(root+database, "")
	}
	usual := []string{"/var/lib/containerd", "/var/lib/rancher/rke2/agent/containerd"}
	for dir, want := range map[string][]string{
		"/var/lib":                               {"/var/lib/containerd"},
		"/var/lib/":                              {"/var/lib/containerd"},
		"/data":                                  {"/data/a/containerd", "/data/b"},
		"/data/b/io.containerd.metadata.v1.bolt": {"/data/b"},
		"/data/b/io.containerd.content.v1.content/blobs": {"/data/b"},
		"/nowhere": usual,
	} {
		if diff := cmp.Diff(want, m.RootsNear(dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
	}
}

func TestHinted(t *testing.T) {
	m := newMachine(t)
	m.listen(k3s, false)
	m.listen(k0s, false)
	m.file("/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", "")
	failure := func(kind prune.StoreKind, location string, why error) error {
		return fmt.Errorf("opening: %w", &prune.OpenError{Kind: kind, Location: location, Problem: "it failed", Err: why})
	}
	for name, c := range map[string]struct {
		err        error
		from, want string
	}{
		"nothing":                 {},
		"of something else":       {err: errors.New("x"), from: "$A"},
		"a socket":                {err: failure(prune.StoreDaemon, k0s, errdefs.ErrUnavailable), want: `There is a socket at "` + k3s + `"`},
		"a socket from a file":    {err: failure(prune.StoreDaemon, "/x.sock", errdefs.ErrNotFound), from: "/f", want: `The address is from /f. There are sockets at "` + k3s + `", "` + k0s + `"`},
		"a socket that is denied": {err: failure(prune.StoreDaemon, k0s, errdefs.ErrPermissionDenied)},
		"a root":                  {err: failure(prune.StoreRoot, "/var/lib", errdefs.ErrFailedPrecondition), want: `There is a containerd root at "/var/lib/containerd"`},
		"a root that is denied":   {err: failure(prune.StoreRoot, "/var/lib", errdefs.ErrPermissionDenied)},
	} {
		got := m.Hinted(c.err, c.from)
		if !errors.Is(got, c.err) || locate.Hint(got) != c.want {
			t.Errorf("%s: %v with hint %q, want %q", name, got, locate.Hint(got), c.want)
		}
	}
}
