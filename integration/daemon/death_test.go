package daemon_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/daemon"
	"golang.org/x/sys/unix"
)

const victimEnv = "DAEMON_TEST_VICTIM"

// A test process that is killed takes its daemon with it, and the next one
// removes what the two left.
func TestDaemonDiesWithItsTest(t *testing.T) {
	if os.Getenv(victimEnv) != "" {
		beVictim(t)
	}
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	victim := exec.Command(os.Args[0], "-test.run=^TestDaemonDiesWithItsTest$")
	victim.Env = append(os.Environ(), victimEnv+"=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &dir); err != nil {
		t.Fatalf("reading what the victim says: %v", err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it says "killed"

	ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(ended, int((10 * time.Second).Milliseconds())); n != 1 || err != nil {
		t.Errorf("containerd %d outlives its test: %v", pid, err)
	}
	daemon.Start(t, daemon.Options{})
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func beVictim(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	fmt.Println(d.PID(), d.Dir())
	select {}
}
