package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// guest is a container whose program waits, and what there is of it outside of
// its daemon's folder.
type guest struct {
	*daemon.Daemon
	t      *testing.T
	ctx    context.Context
	task   containerd.Task
	bundle string
	// processes are descriptors, because a process ID may be reused.
	processes map[string]int
	files     []string
}

// run starts a containerd and a container on it, as any client does. At the end
// of the test nothing of them may be left.
func run(t *testing.T, version parts.Part) *guest {
	t.Helper()
	opts := cri.Options(t, version)
	opts.CRI = false
	g := &guest{t: t}
	t.Cleanup(g.wantGone) // when the daemon's own cleanup is over
	g.Daemon = daemon.Start(t, opts)
	s := g.Store("default")
	g.ctx = s.Context(t.Context())
	img := cri.Pause(t, imagestore.New(1))
	g.must(s.Add(t.Context(), img))
	image, err := s.Client.GetImage(g.ctx, img.Name)
	g.must(err)
	id := "guest-" + filepath.Base(g.Dir())
	c, err := s.Client.NewContainer(g.ctx, id, containerd.WithSnapshotter(g.Snapshotter()), containerd.WithNewSnapshot(id, image),
		containerd.WithNewSpec(oci.WithProcessArgs(cri.SleeperPath), oci.WithCgroup(g.CgroupParent("guest")+"/"+id)))
	g.must(err)
	g.task, err = c.NewTask(g.ctx, cio.NullIO)
	g.must(err)
	g.must(g.task.Start(g.ctx))
	g.bundle = filepath.Join(g.State(), "io.containerd.runtime.v2.task", "default", id)
	g.look(id)
	return g
}

// look notes what there is of the container.
func (g *guest) look(id string) {
	g.t.Helper()
	pid := int(g.task.Pid())
	g.processes = map[string]int{"the program": g.hold(pid), "the shim": g.hold(parent(g.t, pid))}
	text, err := os.ReadFile(g.whereShim())
	g.must(err)
	socket := regexp.MustCompile(`/run/containerd/s/[0-9a-f]+`).FindString(string(text))
	groups, err := filepath.Glob("/sys/fs/cgroup/*" + g.CgroupParent("guest"))
	g.must(err)
	one, err := filepath.Glob("/sys/fs/cgroup" + g.CgroupParent("guest")) // cgroup v2
	g.must(err)
	if len(groups)+len(one) == 0 {
		g.t.Fatal("the container has no cgroup")
	}
	g.files = append(append(groups, one...), socket, filepath.Join("/run/containerd/runc/default", id), g.Dir())
	for _, file := range g.files {
		if _, err := os.Lstat(file); err != nil {
			g.t.Fatalf("while the container runs: %v", err)
		}
	}
}

// whereShim is the file in which containerd notes where the shim listens.
func (g *guest) whereShim() string {
	if g.Version() == parts.Containerd17 {
		return filepath.Join(g.bundle, "address")
	}
	return filepath.Join(g.bundle, "bootstrap.json")
}

func (g *guest) hold(pid int) int {
	g.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	g.must(err)
	return fd
}

func (g *guest) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// parent is a process's parent.
func parent(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	var ppid int
	after := text[bytes.LastIndexByte(text, ')')+1:] // the program's name may hold anything
	if _, err := fmt.Sscanf(string(after), " %1s %d", new(string), &ppid); err != nil {
		t.Fatal(err)
	}
	return ppid
}

// wantGone fails the test for anything that is still there.
func (g *guest) wantGone() {
	g.t.Helper()
	for name, fd := range g.processes {
		if !over(g.t, fd, 0) {
			g.t.Errorf("%s still runs", name)
			_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
		_ = unix.Close(fd)
	}
	for _, file := range g.files {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			g.t.Errorf("%s is still there: %v", file, err)
		}
	}
}
