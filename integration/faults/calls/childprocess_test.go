package calls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// A process with these is a run that kills itself at a call.
const (
	childAddress = "FAULTS_CHILD_ADDRESS"
	childFault   = "FAULTS_CHILD_FAULT"
)

// runChild runs until the call at which it dies.
func runChild(address string) error {
	f := &fault{inject: func() error {
		err := syscall.Kill(os.Getpid(), syscall.SIGKILL)
		if err == nil {
			select {}
		}
		return err
	}}
	if _, err := fmt.Sscan(os.Getenv(childFault), &f.at, &f.moment); err != nil {
		return err
	}
	o := outcome{}
	o.run(context.Background(), address, f)
	return errors.Join(o.err, errors.New("it ended by itself"))
}

// kill runs a child process and says whether it was killed.
func (b *bed) kill(f *fault) bool {
	b.t.Helper()
	child := exec.CommandContext(b.t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childAddress+"="+b.d.Address(), fmt.Sprintf("%s=%d %d", childFault, f.at, int(f.moment)))
	err := child.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
