package tasks_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// binary is the command under test.
var binary string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&binary: programs.Command}))
}

const day = 24 * time.Hour

// user sits before a machine with a containerd, in a folder of their own.
type user struct {
	*testing.T
	daemon    *daemon.Daemon
	bin, work string
	// help is what was shown of each command's help, and said all that was printed.
	help map[string]string
	said []string
	// layer is how large the layers of images are.
	layer int
}

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{T: t, help: make(map[string]string), layer: 64 << 10}
	u.start()
	return u
}

// start makes the machine.
func (u *user) start() {
	u.Helper()
	u.daemon, u.bin, u.work = daemon.Start(u, daemon.Options{Version: parts.Containerd24, NoSync: true}), u.TempDir(), u.TempDir()
	u.daemon.Offline(u.fill)
	u.must(os.Symlink(binary, filepath.Join(u.bin, "ctr-prune")),
		os.CopyFS(u.work, os.DirFS("testdata/files")))
}

func (u *user) must(errs ...error) {
	u.Helper()
	if err := errors.Join(errs...); err != nil {
		u.Fatal(err)
	}
}

// fill makes the store of a build host: versions of two images over one base, of
// which one is in use, what a build left without a name, what others hold, and a
// namespace of Kubernetes.
func (u *user) fill(e *imagestore.Embedded) error {
	ctx, s, b := u.Context(), e.Store("default"), imagestore.New(1)
	var errs []error
	add := func(s imagestore.Store, img *imagestore.Image, age time.Duration, names ...string) {
		then := time.Now().Add(-age)
		errs = append(errs, s.At(then).Add(ctx, img, names...), e.Backdate(s.Namespace, then, img.Digests()...))
	}
	on := func(base *imagestore.Image, name string) *imagestore.Image {
		return b.Image(imagestore.Spec{Name: name, Base: base, Layers: 1, LayerBytes: u.layer})
	}
	base := b.Image(imagestore.Spec{Name: "docker.io/library/debian:13", Layers: 2, LayerBytes: 2 * u.layer})
	add(s, base, 90*day, base.Name)
	var used, newest *imagestore.Image
	for i, tag := range []string{"1.25", "1.26", "1.27", "1.28"} {
		img := on(base, "docker.io/library/nginx:"+tag)
		add(s, img, time.Duration(90-25*i)*day, img.Name)
		if tag == "1.26" {
			used = img
		}
	}
	for i, tag := range []string{"1", "2", "3", "4", "5"} {
		newest = on(base, "ghcr.io/acme/shop/api:"+tag)
		add(s, newest, time.Duration(50-10*i)*day, newest.Name)
	}
	nameless, built := on(base, ""), on(nil, "ci.example/build:42")
	add(s, nameless, 20*day, imagestore.NoneDangling(nameless.Target.Digest))
	add(s, built, 20*day, built.Name)
	pause := b.Image(imagestore.Spec{Name: "registry.k8s.io/coredns:1.12"})
	k8s := s.In("k8s.io")
	add(k8s, pause, 40*day, imagestore.CRINames("registry.k8s.io/coredns", "1.12", pause)...)
	return errors.Join(append(errs,
		s.Tag(ctx, newest.Name, "ghcr.io/acme/shop/api:latest"),
		s.NerdctlContainer(ctx, "0123456789abcdef", "web", used.Name, used),
		s.Lease(ctx, imagestore.LeaseSpec{ID: "nightly-build", Resources: []leases.Resource{imagestore.ContentResource(built.Target.Digest)}}),
	)...)
}

// run runs a line of a shell, and returns what it printed and its exit code.
func (u *user) run(line string) (said string, code int) {
	u.Helper()
	cmd := exec.CommandContext(u.Context(), "bash", "-o", "pipefail", "-c", line)
	cmd.Dir = u.work
	cmd.Env = []string{"PATH=" + u.bin + ":" + os.Getenv("PATH"), "HOME=" + u.work, "LC_ALL=C.UTF-8"}
	if u.daemon.Running() {
		cmd.Env = append(cmd.Env, "CONTAINERD_ADDRESS="+u.daemon.Address())
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.Fatal(err)
	}
	return strings.ReplaceAll(string(out), u.daemon.Root(), "ROOT"), cmd.ProcessState.ExitCode()
}
