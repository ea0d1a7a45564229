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
	victimAddress = "FAULTS_VICTIM_ADDRESS"
	victimFault   = "FAULTS_VICTIM_FAULT"
)

// beVictim runs until the call at which it dies.
func beVictim(address string) error {
	f := &fault{strike: func() error {
		err := syscall.Kill(os.Getpid(), syscall.SIGKILL)
		if err == nil {
			select {}
		}
		return err
	}}
	if _, err := fmt.Sscan(os.Getenv(victimFault), &f.at, &f.moment); err != nil {
		return err
	}
	o := outcome{}
	o.run(context.Background(), address, f)
	return errors.Join(o.err, errors.New("it ended by itself"))
}

// kill runs a victim and says whether it was killed.
func (b *bed) kill(f *fault) bool {
	b.t.Helper()
	victim := exec.CommandContext(b.t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimAddress+"="+b.d.Address(), fmt.Sprintf("%s=%d %d", victimFault, f.at, int(f.moment)))
	err := victim.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	status, ok := victim.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
