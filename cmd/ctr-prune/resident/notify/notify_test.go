package notify

import (
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func env(of map[string]string) func(string) string { return func(key string) string { return of[key] } }

func TestWhatIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	m := New(env(map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "7"}), 7)
	if m.Watchdog != 2*time.Minute {
		t.Errorf("the watchdog waits %s", m.Watchdog)
	}
	for _, c := range []struct {
		tell func() error
		want string
	}{
		{func() error { return m.Ready("all\nwell") }, `^READY=1\nSTATUS=all well$`},
		{func() error { return m.Status("idle") }, `^WATCHDOG=1\nSTATUS=idle$`},
		{m.Reloading, `^RELOADING=1\nMONOTONIC_USEC=\d{6,}$`},
		{func() error { return m.Stopping("") }, `^STOPPING=1\nWATCHDOG=1$`},
		{func() error { return m.Extend(90 * time.Second) }, `^EXTEND_TIMEOUT_USEC=90000000$`},
	} {
		if err := c.tell(); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 1000)
		n, err := manager.Read(text)
		if err != nil || !regexp.MustCompile(c.want).Match(text[:n]) {
			t.Errorf("told %q, %v; want %s", text[:n], err, c.want)
		}
	}
}

func TestWithoutAManager(t *testing.T) {
	m := New(env(map[string]string{"WATCHDOG_USEC": "1000000"}), 7)
	if m.Watchdog != 0 || m.Ready("") != nil || m.Reloading() != nil {
		t.Errorf("a manager that is not there: %+v", m)
	}
	for _, of := range []map[string]string{
		{"NOTIFY_SOCKET": "@none-of-this-name", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}, // of the process's parent
		{"NOTIFY_SOCKET": "@none-of-this-name", "WATCHDOG_USEC": "x"},
	} {
		m := New(env(of), 7)
		if m.Watchdog != 0 {
			t.Errorf("%v: a watchdog of %s", of, m.Watchdog)
		}
		if m.Ready("") == nil {
			t.Error("nobody heard it, and there is no error")
		}
	}
}
