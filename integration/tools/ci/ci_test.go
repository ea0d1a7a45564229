package ci

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A make that passes everything; but the linter leaves a process running, when
// it sends its caller a signal, and otherwise fails.
const fakeMake = `#!/bin/sh
case "$*" in
*lint*)
	sleep 600 &
	echo $! >child
	[ -n "$SEND" ] || { kill $!; exit 7; }
	kill -s "$SEND" "$PPID"
	;;
esac
`

// The checks that are ended by a signal did not pass, and leave nothing running.
func TestChecksThatAreEnded(t *testing.T) {
	script, err := os.ReadFile("../../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	notIgnored(t)
	for name, want := range map[string]int{"TERM": 128 + 15, "INT": 128 + 2, "HUP": 128 + 1, "": 7} {
		t.Run("SIG"+name, func(t *testing.T) {
			dir := t.TempDir()
			run := filepath.Join(dir, ".ci", "run")
			for path, text := range map[string]string{run: string(script), filepath.Join(dir, "bin", "make"): fakeMake} {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o700)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "bash", run)
			cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "SEND="+name)
			text, err := output(t, cmd, filepath.Join(dir, "child"))
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != want {
				t.Errorf("it ended with %v, want exit code %d", err, want)
			}
			if strings.Contains(text, "everything passed") || !strings.Contains(text, "FAILED at: lint") {
				t.Errorf("it says:\n%s", text)
			}
		})
	}
}

// notIgnored lets what the test starts be ended by signals that whoever started
// the test ignores, as nohup(1) does.
func notIgnored(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	t.Cleanup(func() { signal.Stop(caught) })
}

// output runs a command and returns what it and its children say until the last
// of them has ended. The child of which the PID is in the file must be among
// those that end.
func output(t *testing.T, cmd *exec.Cmd, child string) (string, error) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	ended := cmd.Wait()
	if err := out.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Errorf("a process is left: %v", err)
		if pid, err := os.ReadFile(child); err == nil {
			_ = exec.Command("kill", strings.TrimSpace(string(pid))).Run()
		}
	}
	return string(text), ended
}
