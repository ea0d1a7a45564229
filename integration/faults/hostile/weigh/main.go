package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: weigh FILE PROGRAM ARGS")
		os.Exit(2)
	}
	code, err := weigh(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "weigh:", err)
		code = 125
	}
	os.Exit(code)
}

func weigh(file string, args []string) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not tell the peak of memory")
	}
	err = os.WriteFile(file, []byte(strconv.FormatInt(usage.Maxrss<<10, 10)), 0o600)
	return cmd.ProcessState.ExitCode(), err
}
