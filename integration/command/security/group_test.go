package security

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

const (
	// nobody is the user of that name on Debian and elsewhere.
	nobody = 65534
	// operators is a group that nobody has otherwise.
	operators = 47110
)

// as is the command run by nobody, as a member of some groups.
func as(t *testing.T, groups []uint32, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: groups}}
	cmd.Dir = "/"
	cmd.Env = []string{}
	return cmd
}

// Who is not root but in the group of the socket can prune; who is not in it
// is told what to do, and changes nothing.
func TestAsMemberOfTheGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run the command as somebody else")
	}
	d := filled(t, 2)
	if err := errors.Join(os.Chown(d.Address(), 0, operators), os.Chmod(d.Address(), 0o660)); err != nil {
		t.Fatal(err)
	}
	before := d.Capture()
	stranger := as(t, nil, "--all", "--force", "--address", d.Address())
	out, err := stranger.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 || !strings.Contains(string(out), "permission denied; run as root, or as a user of the socket's group") {
		t.Errorf("a stranger: %v\n%s", err, out)
	}
	if n := len(d.Capture().Namespaces["default"].Images); n != 3 {
		t.Errorf("%d images are left by a stranger", n)
	}
	text := do(t, as(t, []uint32{operators}, "--all", "--force", "--address", d.Address()))
	after := d.Capture()
	if err := oracle.Check(before, after); err != nil {
		t.Errorf("harm:\n%v", err)
	}
	if len(after.Namespaces["default"].Images) != 1 || oracle.DiskFreed(before, after) <= 0 || !strings.Contains(text, "Total reclaimed space:") {
		t.Errorf("%d images are left\n%s", len(after.Namespaces["default"].Images), text)
	}
	// What it may not see it does not call sound.
	text = do(t, as(t, []uint32{operators}, "check", "--address", d.Address()))
	if !strings.HasPrefix(text, "No problems found in what could be checked.\nNote: the files of blobs and uploads were not checked: ") {
		t.Errorf("check says\n%s", text)
	}
	if text := do(t, exec.Command(program, "check", "--address", d.Address())); text != "No problems found.\n" {
		t.Errorf("to root check says\n%s", text)
	}
}
