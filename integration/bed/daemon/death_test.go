package daemon_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

const childEnv = "DAEMON_TEST_CHILD"

// A test process that is killed takes its daemon with it, and the next one
// ends and removes what the two left.
func TestDaemonDiesWithItsTest(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		runChild(t)
	}
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestDaemonDiesWithItsTest$")
	child.Env = append(os.Environ(), childEnv+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid, guest int
	var dir string
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &guest, &dir); err != nil {
		t.Fatalf("reading what the child says: %v", err)
	}
	fd, program := open(t, pid), open(t, guest)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it says "killed"

	if !over(t, fd, 5*time.Minute) {
		t.Errorf("containerd %d outlives its test", pid)
	}
	daemon.Start(t, daemon.Options{})
	if !over(t, program, 0) {
		t.Errorf("process %d of the dead test still runs", guest)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// runChild says what is there to be killed. Only root can run a container.
func runChild(t *testing.T) {
	if os.Geteuid() == 0 {
		g := run(t, parts.Containerd24)
		fmt.Println(g.PID(), g.task.Pid(), g.Dir())
	} else {
		d := daemon.Start(t, daemon.Options{})
		fmt.Println(d.PID(), d.PID(), d.Dir())
	}
	select {}
}

// open returns a descriptor of a process, whose number may become another's.
func open(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// over says whether the process of a descriptor has ended, or does in time.
func over(t *testing.T, pidfd int, wait time.Duration) bool {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(wait.Milliseconds()))
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}
