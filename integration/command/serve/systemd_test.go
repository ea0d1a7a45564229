package serve

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/systemd"
)

// asPID1 starts systemd as process 1 of namespaces of its own: in control groups of
// its own, with a /run of its own.
const asPID1 = `set -eu
for h in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do mkdir $h/$NAME; echo $$ > $h/$NAME/cgroup.procs; done
exec unshare --fork --pid --mount --ipc --uts --cgroup --kill-child --mount-proc sh -euc '
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
cp $UNITS/* /run/systemd/system
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
export container=x
exec /lib/systemd/systemd --unit=test.target'
`

// machine is a systemd that runs.
type machine struct {
	*node
	cmd *exec.Cmd
	log string
}

// boot starts systemd with a unit of the resident.
func (n *node) boot(address string) *machine {
	n.Helper()
	m := &machine{node: n, log: filepath.Join(n.dir, "log")}
	units := filepath.Join(n.dir, "units")
	n.must(os.Mkdir(units, 0o700))
	n.must(os.WriteFile(units+"/test.target", []byte("[Unit]\nDefaultDependencies=no\n"), 0o600))
	n.must(os.WriteFile(units+"/ctr-prune.service", []byte(`[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=`+binary+" serve --config "+n.config()+" --address "+address+` --docker-host /nonexistent
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=10s
TimeoutStopSec=3s
TimeoutAbortSec=2s
Restart=on-failure
RestartSec=100ms
StandardError=append:`+m.log+"\n"), 0o600))
	name := fmt.Sprint("ctr-prune-test-", os.Getpid())
	m.cmd = exec.Command("bash", "-c", asPID1)
	m.cmd.Env = append(os.Environ(), "NAME="+name, "UNITS="+units)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.must(m.cmd.Start())
	n.Cleanup(func() {
		_ = m.cmd.Process.Kill() // and with it all that it started
		_ = m.cmd.Wait()
		for _, h := range []string{"systemd", "unified"} {
			systemd.RemoveGroups(filepath.Join("/sys/fs/cgroup", h, name))
		}
	})
	m.until("systemd runs", func() bool { return strings.TrimSpace(m.systemctl("is-system-running")) == "running" })
	return m
}

// systemctl returns what the program said.
func (m *machine) systemctl(args ...string) string {
	pid, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", m.cmd.Process.Pid, m.cmd.Process.Pid))
	if err != nil || len(strings.Fields(string(pid))) != 1 {
		return ""
	}
	said, _ := exec.Command("nsenter", append([]string{"-t", strings.TrimSpace(string(pid)), "-m", "-p", "-i", "-u", "systemctl"}, args...)...).CombinedOutput()
	return string(said)
}

func (m *machine) show(property string) string {
	return strings.TrimSpace(m.systemctl("show", "--value", "-p", property, "ctr-prune.service"))
}

// until waits for something that systemd tells of to nobody.
func (m *machine) until(what string, is func() bool) {
	m.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(m.log)
			m.Fatalf("waited in vain until %s:\n%s\n%s", what, m.systemctl("status", "ctr-prune.service"), log)
		}
	}
}

// logged counts the lines of the log with a text.
func (m *machine) logged(text string) int {
	log, _ := os.ReadFile(m.log) // there is none before the first line
	return strings.Count(string(log), text)
}

// Under systemd it is ready when it works, reads its configuration again, is killed
// and started again when its loop is stuck, and finishes a run that is under way when
// it is stopped, however long that takes.
func TestSystemd(t *testing.T) {
	if os.Getenv("SYSTEMD_SERVE") == "" {
		t.Skip("only make test-systemd runs it: it starts a systemd")
	}
	program(t, parts.Systemd, "systemctl")
	n := newNode(t, daemon.Options{})
	n.images("a", "b")
	n.configure("listen: none")
	g, address := n.proxy()
	m := n.boot(address)
	if said := m.systemctl("start", "ctr-prune.service"); said != "" || m.show("ActiveState") != "active" {
		t.Fatalf("start: %s\n%s", said, m.systemctl("status", "ctr-prune.service"))
	}
	m.until("it is idle", func() bool { return m.show("StatusText") == "idle: no run is scheduled" })

	n.configure("listen: none, every: 6h")
	if said := m.systemctl("reload", "ctr-prune.service"); said != "" {
		t.Errorf("reload: %s", said)
	}
	m.until("the configuration is in use", func() bool { return m.logged("the configuration was taken into use") == 1 })
	m.until("it says when it runs", func() bool { return strings.HasPrefix(m.show("StatusText"), "idle until the next run") })

	stuck := m.show("MainPID")
	m.systemctl("kill", "--signal", "STOP", "ctr-prune.service")
	m.until("the watchdog has killed it", func() bool { return m.show("NRestarts") == "1" })
	m.until("it works again", func() bool { return m.logged("containerd answers") == 2 })
	if now := m.show("MainPID"); now == stuck || m.show("ActiveState") != "active" {
		t.Errorf("process %s became %s, %s", stuck, now, m.show("ActiveState"))
	}

	g.hold(deleteImage, 1)
	m.systemctl("kill", "--signal", "USR1", "ctr-prune.service")
	<-g.reached
	begin, stopped := time.Now(), make(chan struct{})
	go func() { m.systemctl("stop", "ctr-prune.service"); close(stopped) }()
	m.until("it ends", func() bool { return strings.HasPrefix(m.show("StatusText"), "ending, after a run") })
	// Longer than systemd waits for a service that does not ask for time.
	time.Sleep(5 * time.Second)
	close(g.goOn)
	<-stopped
	if m.logged("a run ended") != 1 || m.show("Result") != "success" || m.show("ExecMainStatus") != strconv.Itoa(0) {
		t.Errorf("stopped after %s: %s", time.Since(begin), m.systemctl("status", "ctr-prune.service"))
	}
}
