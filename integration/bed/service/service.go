package service

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	readyTimeout = 5 * time.Minute
	stopTimeout  = 5 * time.Minute
	// logBytes is how much of the log a failed test shows.
	logBytes = 6 << 10
)

// Service is a process that belongs to one test. Its methods fail the test on
// errors.
type Service struct {
	tb      testing.TB
	name    string
	command func() *exec.Cmd
	log     string
	cmd     *exec.Cmd
	done    chan struct{}
}

// Start starts the program that command prepares and waits until ready says
// so. Its output is appended to the file log.
func Start(tb testing.TB, name, log string, command func() *exec.Cmd, ready func(context.Context) error) *Service {
	tb.Helper()
	s := &Service{tb: tb, name: name, command: command, log: log}
	tb.Cleanup(s.cleanup)
	s.Up(ready)
	return s
}

// Up starts the program, again after Stop, and waits until it is ready. One
// that runs is left alone.
func (s *Service) Up(ready func(context.Context) error) {
	s.tb.Helper()
	if s.Running() {
		return
	}
	if err := s.start(); err != nil {
		s.tb.Fatalf("starting %s: %v", s.name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-s.done:
			s.tb.Fatalf("%s ended at once: %v\n%s", s.name, err, s.tail())
		case <-ctx.Done():
			s.tb.Fatalf("%s did not become ready: %v\n%s", s.name, err, s.tail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// start keeps one goroutine on its thread for the child's whole life:
// Pdeathsig is about the thread that started the child.
func (s *Service) start() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	s.cmd, s.done = s.command(), make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func(cmd *exec.Cmd, done chan struct{}) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			// How it ended is the test's doing, or stands in the log.
			_ = cmd.Wait()
		}
	}(s.cmd, s.done)
	return <-started
}

// Running says whether the process is there.
func (s *Service) Running() bool {
	if s.done == nil {
		return false
	}
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// Stop ends the program in good order and waits until it is gone.
func (s *Service) Stop() {
	s.tb.Helper()
	if !s.Running() {
		return
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := s.cmd.Process.Signal(sig); err != nil {
			s.tb.Logf("sending %v to %s: %v", sig, s.name, err)
		}
		select {
		case <-s.done:
			return
		case <-time.After(stopTimeout):
			s.tb.Errorf("%s did not end within %v of %v\n%s", s.name, stopTimeout, sig, s.tail())
		}
	}
}

// Kill ends the program at once, so that it can put nothing in order.
func (s *Service) Kill() {
	s.tb.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.tb.Fatalf("killing %s: %v", s.name, err)
	}
	<-s.done
}

func (s *Service) cleanup() {
	s.Stop()
	if s.tb.Failed() {
		s.tb.Logf("end of the log of %s:\n%s", s.name, s.tail())
	}
}

func (s *Service) tail() []byte {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(log[max(0, len(log)-logBytes):])
}
