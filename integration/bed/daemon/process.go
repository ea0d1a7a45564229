package daemon

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a started daemon process.
type process struct {
	cmd *exec.Cmd
	// done is closed when the process has ended and was waited for.
	done chan struct{}
}

// startProcess starts cmd with its output appended to a log file.
//
// Pdeathsig kills the child when the thread that started it ends, not the
// process. Hence one goroutine keeps its thread for the child's whole life.
func startProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log

	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			// How it ended is the caller's doing, or stands in the log.
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// command returns the daemon's command. A user who is not root gets a user
// and a mount namespace in which containerd is root of itself: it has to
// mount snapshots to unpack into them.
func (d *Daemon) command() *exec.Cmd {
	cmd := exec.Command(d.bin, "--config", d.configFile())
	cmd.Env = append(os.Environ(), "PATH="+d.searchPath())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // a ^C in the terminal is for the test, not for us
		Pdeathsig: syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		enterUserNamespace(cmd.SysProcAttr)
	}
	return cmd
}

func enterUserNamespace(attr *syscall.SysProcAttr) {
	attr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
}
