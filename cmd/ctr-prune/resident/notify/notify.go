// Package notify tells systemd how a service is, as sd_notify(3) describes. Without
// systemd it does nothing.
package notify

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Manager is the service manager that started this process, if one did.
type Manager struct {
	socket string
	// Watchdog is how long the manager waits for a sign of life before it kills the
	// process; zero if for ever.
	Watchdog time.Duration
}

// New finds the manager. Pid is this process's.
func New(getenv func(string) string, pid int) *Manager {
	m := &Manager{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	of := getenv("WATCHDOG_PID")
	if m.socket != "" && err == nil && usec > 0 && (of == "" || of == strconv.Itoa(pid)) {
		m.Watchdog = time.Duration(usec) * time.Microsecond
	}
	return m
}

// Ready says that the service works, and how it is.
func (m *Manager) Ready(status string) error { return m.send("READY=1", status) }

// Status says how the service is, and that its loop turns.
func (m *Manager) Status(status string) error { return m.send("WATCHDOG=1", status) }

// Reloading says that the configuration is read again; Ready has to follow.
func (m *Manager) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	return m.send(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000), "")
}

// Stopping says that the service ends.
func (m *Manager) Stopping(status string) error { return m.send("STOPPING=1\nWATCHDOG=1", status) }

// Extend asks for that much time, from now on, for what is under way.
func (m *Manager) Extend(by time.Duration) error {
	return m.send(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", by.Microseconds()), "")
}

func (m *Manager) send(state, status string) error {
	if m.socket == "" {
		return nil
	}
	if status != "" {
		state += "\nSTATUS=" + strings.ReplaceAll(status, "\n", " ")
	}
	// An address that begins with @ is an abstract one, also for package net.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	defer func() { _ = conn.Close() }() // what was written was sent
	// A manager that does not read must not stop the loop.
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	return nil
}
