package root

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A process with these is a run that kills itself at a step.
const (
	childRoot = "EMBEDDED_CHILD_ROOT"
	childStep = "EMBEDDED_CHILD_STEP"
	// childIn, if set, lets the run go on from the step to the next removal of a
	// directory, and says where in it the process dies.
	childIn = "EMBEDDED_CHILD_IN"
)

// steps is a logger of bolt's that counts what every commit says: before
// anything of it is written, and after all of it is on the disk. Databases take
// it from bolt's default options, those of the snapshotters too.
type steps struct {
	bolt.Logger
	kill int64
	in   string
	seen *atomic.Int64
}

// Debugf counts a step, and ends the process at the one it is to die at.
func (s steps) Debugf(format string, v ...any) {
	if !strings.HasPrefix(format, "Committing transaction") || s.seen.Add(1) != s.kill {
		return
	}
	if s.in != "" {
		if err := dieInDirectory(s.in); err != nil {
			panic(err)
		}
		return
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {}
}

// Errorf is for transactions that fail, of which there are none here.
func (steps) Errorf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }

func (steps) Infof(string, ...any) {}

// runChild prunes a root until it dies, or prints how many steps that took.
func runChild(root string) int {
	kill, err := strconv.ParseInt(os.Getenv(childStep), 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s := steps{kill: kill, in: os.Getenv(childIn), seen: new(atomic.Int64)}
	bolt.DefaultOptions.Logger = s
	if err := pruneAll(context.Background(), root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.seen.Load())
	return 0
}

func pruneAll(ctx context.Context, root string) (err error) {
	store, err := prune.OpenRoot(ctx, root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	policy, now := pruning.All("default", "other"), time.Now()
	plan, err := prune.ReadPlan(ctx, store, policy, now, prune.ReadOptions{})
	if err != nil {
		return err
	}
	_, err = prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now})
	return err
}

// kill runs a child process on the root that dies at a step, or, if in is not
// empty, there in the first directory that it removes after the step. It returns
// whether it was killed, and else how many steps it took.
func (b *bed) kill(step int, in string) (killed bool, taken int) {
	b.t.Helper()
	child := exec.CommandContext(b.t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childRoot+"="+b.d.Root(), childStep+"="+strconv.Itoa(step), childIn+"="+in)
	var out, errs bytes.Buffer
	child.Stdout, child.Stderr = &out, &errs
	err := child.Run()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && isKill(status.Signal()) {
		return true, 0
	}
	if err != nil {
		b.t.Fatalf("the child process: %v\n%s", err, errs.String())
	}
	taken, err = strconv.Atoi(strings.TrimSpace(out.String()))
	b.must(err)
	return false, taken
}

// isKill knows the signals of the process itself and of the kernel's filter.
func isKill(s syscall.Signal) bool { return s == syscall.SIGKILL || s == syscall.SIGSYS }
