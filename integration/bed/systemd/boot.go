package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience ends what hangs.
const patience = 4 * time.Minute

// asPID1 puts a distribution together from its files, which stay as they are, and what
// is bound into it, and starts its systemd.
const asPID1 = `set -eu
for h in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do mkdir $h/$NAME; echo $$ > $h/$NAME/cgroup.procs; done
exec unshare --fork --pid --mount --ipc --uts --net --cgroup --kill-child --mount-proc bash -euc '
mount --make-rprivate /
ip link set lo up
mkdir $DIR/upper $DIR/work $DIR/root
mount -t overlay overlay -o lowerdir=$BASE,upperdir=$DIR/upper,workdir=$DIR/work $DIR/root
cd $DIR/root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
while read -r from to; do
	if [ -d $from ]; then mkdir -p ./$to; else mkdir -p ./$(dirname $to); touch ./$to; fi
	mount --bind $from ./$to
done < $DIR/binds
mkdir -p run/old
pivot_root . run/old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "umount -l /run/old; exec /lib/systemd/systemd"'
`

// Bind is a folder or a file of this machine, and where it is inside.
type Bind struct{ From, To string }

// Machine is a systemd that runs. Its methods fail the test on errors.
type Machine struct {
	tb   testing.TB
	init int
}

// Boot starts the distribution in a folder, and waits until it is up.
func Boot(tb testing.TB, base string, binds ...Bind) *Machine {
	tb.Helper()
	dir, name := tb.TempDir(), fmt.Sprint("ctr-prune-machine-", os.Getpid(), "-", time.Now().UnixNano())
	var list strings.Builder
	for _, b := range binds {
		fmt.Fprintln(&list, b.From, b.To)
	}
	if err := os.WriteFile(filepath.Join(dir, "binds"), []byte(list.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", asPID1)
	cmd.Env = append(os.Environ(), "NAME="+name, "DIR="+dir, "BASE="+base)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill() // and with it all that it started
		_ = cmd.Wait()
		for _, h := range []string{"systemd", "unified"} {
			RemoveGroups(filepath.Join("/sys/fs/cgroup", h, name))
		}
	})
	m := &Machine{tb: tb}
	m.awaitInit(cmd.Process.Pid, log.Name())
	return m
}

// awaitInit waits until systemd has started what it is to start. Nobody tells of
// its first steps.
func (m *Machine) awaitInit(parent int, log string) {
	m.tb.Helper()
	var state string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent)) // there is none yet
		if _, err := fmt.Sscan(string(text), &m.init); err != nil {
			continue
		}
		state, _ = m.Try("systemctl is-system-running --wait")
		if state = strings.TrimSpace(state); state == "running" || state == "degraded" {
			return
		}
	}
	said, _ := os.ReadFile(log)
	m.tb.Fatalf("systemd does not run, it is %q:\n%s", state, said)
}

// Try runs a command of the shell inside, and returns what it said.
func (m *Machine) Try(command string) (string, error) {
	cmd := exec.Command("nsenter", "-t", fmt.Sprint(m.init), "-m", "-p", "-i", "-u", "-n", "-C", "--",
		"env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "sh", "-euc", "cd /root; "+command)
	cmd.Dir = "/"
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// Do is as Try, and fails the test on errors.
func (m *Machine) Do(command string) string {
	m.tb.Helper()
	said, err := m.Try(command)
	if err != nil {
		m.tb.Fatalf("%s: %v\n%s", command, err, said)
	}
	return said
}

// Until waits for something that systemd tells of to nobody: that a command succeeds.
func (m *Machine) Until(command string) {
	m.tb.Helper()
	var said string
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if said, err = m.Try(command); err == nil {
			return
		}
	}
	log, _ := m.Try("journalctl --no-pager -n 50 2>/dev/null; systemctl --no-pager status")
	m.tb.Fatalf("waited in vain for %s: %v\n%s\n%s", command, err, said, log)
}

// RemoveGroups removes control groups, the inner ones first, once their processes are
// gone.
func RemoveGroups(dir string) {
	entries, _ := os.ReadDir(dir) // what is gone has none
	for _, e := range entries {
		if e.IsDir() {
			RemoveGroups(filepath.Join(dir, e.Name()))
		}
	}
	for range 100 {
		if err := syscall.Rmdir(dir); err != syscall.EBUSY {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
