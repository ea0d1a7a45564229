//go:build deploy

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/systemd"
)

// program is the command under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&program: programs.Command}))
}

// block is one of the commands of a document: ```sh NAME.
var block = regexp.MustCompile("(?ms)^```sh ?(\\S*)\n(.*?)^```$")

// commandsOf are the blocks of commands of a document by their names, those without a
// name in their order.
func commandsOf(t *testing.T, document string) (named map[string]string, others []string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	named = make(map[string]string)
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "" {
			others = append(others, m[2])
		} else {
			named[m[1]] = m[2]
		}
	}
	return named, others
}

// shelf is a folder with the packages of a version, as somebody downloads them.
type shelf struct {
	*testing.T
	options
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	dir := t.TempDir()
	s := &shelf{t, options{root: "../../..", program: program, out: filepath.Join(dir, "out"), key: filepath.Join(dir, "key")}}
	output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.key)
	s.platforms = []platform{{"amd64", filepath.Dir(program)}}
	if err := os.WriteFile(filepath.Join(filepath.Dir(program), "ctr-prune.cdx.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// stock puts a version on the shelf, in place of the one before.
func (s *shelf) stock(version, onto string) {
	s.Helper()
	s.version = version
	if err := s.write(s.Context()); err != nil {
		s.Fatal(err)
	}
	entries, err := os.ReadDir(onto)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "ctr-prune") || strings.HasPrefix(e.Name(), sumsFile) {
			err = errors.Join(err, os.Remove(filepath.Join(onto, e.Name())))
		}
	}
	public, kerr := os.ReadFile(s.key + ".pub")
	signers := os.WriteFile(filepath.Join(onto, "allowed_signers"), slices.Concat([]byte("releases "), public), 0o600)
	if err := errors.Join(err, kerr, signers, os.CopyFS(onto, os.DirFS(s.out))); err != nil {
		s.Fatal(err)
	}
}

// manager is a kind of packages, the blocks of the document about it, and how it is
// asked for the version.
type manager struct{ kind, install, remove, version string }

var managers = []manager{
	{"deb", "deb", "remove-deb", "dpkg-query -W -f '${Version}\\n' ctr-prune"},
	{"rpm", "rpm", "remove-rpm", "rpm -q --queryformat '%{VERSION}\\n' ctr-prune"},
}

// Whoever follows docs/install.md word for word, in a fresh Debian and with rpm, has
// nothing enabled by the installation, then a service and a timer that prune; an upgrade
// keeps the configuration and starts the service anew, and what is removed leaves nothing.
func TestInstallDocument(t *testing.T) {
	base, err := parts.Distribution(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	named, others := commandsOf(t, "../../../docs/install.md")
	if len(others) != 2 {
		t.Fatalf("docs/install.md has %d blocks without a name, not how to verify and how to begin", len(others))
	}
	for _, p := range managers {
		t.Run(p.kind, func(t *testing.T) {
			n := newNode(t, base)
			if p.kind == formatRPM {
				n.provideShell()
			}
			n.shelf.stock("v1.0.0", n.home)
			n.Do(others[0])
			n.Do(named[p.install])
			n.installed(p, "1.0.0")
			n.nothingRuns("disabled")
			n.Do("systemctl start ctr-prune-run.service")
			n.left("by the configuration that is installed", "ci.example/app:1 docker.io/library/base:1 docker.io/library/used:1")

			if said := n.Do(others[1]); !strings.Contains(said, "Would remove 1 of 3 image records") {
				t.Errorf("the dry run says:\n%s", said)
			}
			n.Do(named["serve"])
			n.Until("ctr-prune history | grep -q ' done '")
			n.left("after a run of the service", "docker.io/library/base:1 docker.io/library/used:1")
			n.add("ci.example/app:2")
			n.Do(named["timer"])
			n.left("after the daily run", "docker.io/library/base:1 docker.io/library/used:1")

			n.upgrade(p, named[p.install])
			n.remove(p, named[p.remove])
		})
	}
}

// node is a machine with a containerd and the packages.
type node struct {
	*testing.T
	*systemd.Machine
	shelf  *shelf
	daemon *daemon.Daemon
	store  imagestore.Store
	build  *imagestore.Builder
	home   string
}

func newNode(t *testing.T, base string) *node {
	t.Helper()
	d := daemon.Start(t, daemon.Options{})
	n := &node{T: t, shelf: newShelf(t), daemon: d, store: d.Store("default"), build: imagestore.New(7), home: t.TempDir()}
	used := n.add("docker.io/library/used:1")
	n.add("docker.io/library/base:1")
	n.add("ci.example/app:1")
	if err := n.store.Container(t.Context(), imagestore.ContainerSpec{ID: "c1", Image: used.Name, Of: used}); err != nil {
		t.Fatal(err)
	}
	n.Machine = systemd.Boot(t, base, systemd.Bind{From: n.home, To: "/root"},
		systemd.Bind{From: d.Address(), To: "/run/containerd/containerd.sock"}, systemd.Bind{From: d.Root(), To: d.Root()})
	return n
}

func (n *node) add(name string) *imagestore.Image {
	n.Helper()
	img := n.build.Image(imagestore.Spec{Name: name, Layers: 2})
	if err := n.store.Add(n.Context(), img); err != nil {
		n.Fatal(err)
	}
	return img
}

// left fails the test unless these images are there.
func (n *node) left(when, want string) {
	n.Helper()
	list, err := n.daemon.Client("default").ImageService().List(n.store.Context(n.Context()))
	if err != nil {
		n.Fatal(err)
	}
	var names []string
	for _, img := range list {
		names = append(names, img.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != want {
		n.Errorf("%s there are %s, not %s", when, got, want)
	}
}

func (n *node) installed(p manager, version string) {
	n.Helper()
	if said := strings.TrimSpace(n.Do(p.version)); said != version {
		n.Errorf("installed is %s, not %s", said, version)
	}
}

// nothingRuns fails the test unless the units do nothing and are in a state, "" if there
// are none.
func (n *node) nothingRuns(state string) {
	n.Helper()
	for _, unit := range []string{"ctr-prune.service", "ctr-prune-run.timer"} {
		enabled, _ := n.Try("systemctl is-enabled " + unit + " 2>/dev/null") // its exit code says it again
		active, _ := n.Try("systemctl is-active " + unit)
		if strings.TrimSpace(enabled) != state || strings.TrimSpace(active) != "inactive" {
			n.Errorf("%s is %s and %s", unit, strings.TrimSpace(enabled), strings.TrimSpace(active))
		}
	}
}

// upgrade installs a newer version, as before.
func (n *node) upgrade(p manager, install string) {
	n.Helper()
	before := n.Do("systemctl show --value -p MainPID ctr-prune.service")
	config := n.Do("cat /etc/ctr-prune/config.yaml")
	n.shelf.stock("v1.1.0", n.home)
	n.Do(install)
	n.installed(p, "1.1.0")
	if now := n.Do("systemctl show --value -p MainPID ctr-prune.service"); now == before {
		n.Errorf("the service was not started anew")
	}
	if now := n.Do("cat /etc/ctr-prune/config.yaml"); now != config {
		n.Errorf("the configuration has become\n%s", now)
	}
	n.Do("systemctl is-active ctr-prune.service && systemctl is-enabled ctr-prune.service ctr-prune-run.timer")
	if said := n.Do("ctr-prune history"); !strings.Contains(said, " done ") {
		n.Errorf("the reports are gone:\n%s", said)
	}
}

// remove removes the package step by step.
func (n *node) remove(p manager, commands string) {
	n.Helper()
	for i, command := range strings.Split(strings.TrimSpace(commands), "\n") {
		n.Do(command)
		if i == 0 {
			n.nothingRuns("")
			n.Do("ls /etc/ctr-prune/config.yaml* && ls /var/lib/ctr-prune/*")
		}
	}
	if said, err := n.Try("find / -xdev -name '*ctr-prune*' -not -path '/root/*' -not -path '/proc/*' -not -path '/tmp/*' | grep ."); err == nil {
		n.Errorf("left are:\n%s", said)
	}
	n.left("after the package is gone", "docker.io/library/base:1 docker.io/library/used:1")
}

// provideShell installs a package in the place of a distribution's, because Debian's rpm
// knows of none: what scripts run with has to come from one.
func (n *node) provideShell() {
	n.Helper()
	paths, err := parts.Ensure(n.Context(), parts.Nfpm)
	if err != nil {
		n.Fatal(err)
	}
	config := filepath.Join(n.home, "shell.yaml")
	text := "name: shell\narch: amd64\nversion: 1.0.0\nmaintainer: nobody <nobody@example.com>\ndescription: a shell\nprovides: [/bin/sh]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		n.Fatal(err)
	}
	cmd := exec.CommandContext(n.Context(), paths.Bin(parts.Nfpm, "nfpm"), "package", "--config", config, "--packager", "rpm", "--target", filepath.Join(n.home, "shell.rpm"))
	if said, err := cmd.CombinedOutput(); err != nil {
		n.Fatalf("%v\n%s", err, said)
	}
	n.Do("rpm -U shell.rpm")
}
