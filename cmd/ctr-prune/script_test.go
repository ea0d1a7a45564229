package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// TestScripts runs the command line against containerd roots that are filled
// in this process. See the functions below for what scripts can do beside
// testscript's own commands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		WorkdirRoot:         t.TempDir(), // removed whatever happens
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fill": cmdFill, "records": cmdRecords, "sums": cmdSums, "run": cmdRun, "hold": cmdHold,
			"lease": cmdLease, "leave": cmdLeave, "deadsocket": cmdDeadSocket, "alien": cmdAlien,
		},
	})
}

// cmdRun runs the command and expects an exit code: run CODE ARG...
func cmdRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: run CODE ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := program(ts, args[1:])
	cmd.Stdout = ts.Stdout()
	runTo(ts, want, cmd.Run, cmd)
}

// program prepares the command as a script's environment has it.
func program(ts *testscript.TestScript, args []string) *exec.Cmd {
	// The program is where testscript put it: at the front of the PATH.
	dir, _, _ := cutList(ts.Getenv("PATH"))
	cmd := exec.Command(filepath.Join(dir, "ctr-prune"), args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Stderr = ts.Stderr()
	for _, name := range []string{"PATH", "TMPDIR", "HOME", "LATER", "NO_COLOR", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", envAddress, envNamespace} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

// runTo runs a prepared command and expects an exit code.
func runTo(ts *testscript.TestScript, want int, run func() error, cmd *exec.Cmd) {
	var exit *exec.ExitError
	if err := run(); err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdLeave runs the command as cmdRun does, with a reader of its output that
// leaves after a line with TEXT in it: leave CODE TEXT ARG...
func cmdLeave(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: leave CODE TEXT ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := program(ts, args[2:])
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	// So small that the command cannot have written all before the reader is gone.
	_, err = unix.FcntlInt(out.(*os.File).Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	ts.Check(err)
	runTo(ts, want, func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		lines := bufio.NewReaderSize(out, os.Getpagesize())
		for {
			line, err := lines.ReadString('\n')
			if err != nil || strings.Contains(line, args[1]) {
				return errors.Join(err, out.Close(), cmd.Wait())
			}
		}
	}, cmd)
}

func cutList(path string) (first, rest string, ok bool) {
	all := filepath.SplitList(path)
	return all[0], "", len(all) > 1
}

// cmdFill makes a store: fill DIR SCENE. The scenes are in scenes_test.go.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || scenes()[args[1]] == nil {
		ts.Fatalf("usage: fill DIR SCENE")
	}
	store := open(ts, args[0])
	err := scenes()[args[1]](store)
	ts.Check(errors.Join(err, store.Close()))
}

func open(ts *testscript.TestScript, dir string) *imagestore.Embedded {
	store, err := imagestore.OpenEmbedded(context.Background(), ts.MkAbs(dir), "native")
	ts.Check(err)
	return store
}

// cmdRecords prints the names of the records: records DIR NAMESPACE.
func cmdRecords(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: records DIR NAMESPACE")
	}
	store := open(ts, args[0])
	list, err := store.Client().ImageService().List(store.Store(args[1]).Context(context.Background()))
	ts.Check(errors.Join(err, store.Close()))
	var names []string
	for _, image := range list {
		names = append(names, image.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(ts.Stdout(), "%s\n", terminal.Quote(name))
	}
}

// cmdSums prints the checksums of all files of a folder: sums DIR.
func cmdSums(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sums DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(ts.Stdout(), "%x %s\n", sha256.Sum256(b), path)
		return err
	}))
}

// cmdHold keeps a store open until the script ends, as a daemon does: hold DIR.
func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold DIR")
	}
	store := open(ts, args[0])
	ts.Defer(func() { ts.Check(store.Close()) })
}

// cmdLease takes the run lease of the default namespace, as a run that is
// alive or one that was killed: lease DIR alive|killed.
func cmdLease(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lease DIR alive|killed")
	}
	store := open(ts, args[0])
	err := store.Store(text.DefaultNamespace).RunLease(context.Background(), "other", args[1] == "killed")
	ts.Check(errors.Join(err, store.Close()))
}

// cmdDeadSocket leaves a socket on which nothing listens: deadsocket FILE.
func cmdDeadSocket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: deadsocket FILE")
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: ts.MkAbs(args[0])})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

// cmdAlien listens on a socket and answers as no containerd does: alien FILE.
func cmdAlien(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: alien FILE")
	}
	l, err := net.Listen("unix", ts.MkAbs(args[0]))
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed by the script's end
			}
			_, _ = conn.Write([]byte("220 mail.example ESMTP\r\n")) // the client may be gone already
			_ = conn.Close()
		}
	}()
	ts.Defer(func() {
		ts.Check(l.Close())
		<-done
	})
}
