package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

func main() {
	sum := flag.String("gotestsum", "gotestsum", "the `PROGRAM` that runs the tests")
	cluster := flag.Bool("cluster", false, "run the tests with the tag cluster, and build what they need")
	flag.Parse()
	if *cluster && os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "the tests of a cluster need root, because its pods do: run make test-cluster as root")
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The tests are run even if a program is missing: the whole state is worth
	// more than an early end.
	err := errors.Join(provide(ctx, *cluster), runTests(ctx, *sum, *cluster, flag.Args()))
	daemon.Sweep()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// provide builds or installs the real programs. One that cannot be had here
// makes tests skip, and is no error.
func provide(ctx context.Context, cluster bool) error {
	if reason := daemon.Unsupported(); reason != "" {
		fmt.Println("no daemons:", reason)
		return nil
	}
	wanted := parts.Usable()
	if cluster {
		wanted = append([]parts.Part{parts.Containerd24, parts.Runc, parts.Shim}, parts.Cluster()...)
		fmt.Println("what is not built yet follows: etcd takes 2 minutes on 2 cores, the programs of Kubernetes 25")
	}
	errs := parts.Provide(ctx, os.Stdout, wanted...)
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, parts.ErrUnavailable) })...)
}

func runTests(ctx context.Context, sum string, cluster bool, packages []string) error {
	// Two packages at once: each starts daemons and measures disk and time. The
	// results are not taken from the cache, because the machine is tested too.
	// The timeout is far above what a machine with two cores needs.
	args := []string{"--format", "pkgname-and-test-fails", "--", "-p", "2", "-count", "1", "-timeout", "40m"}
	if cluster {
		args = append(args, "-tags", "cluster")
	}
	cmd := exec.CommandContext(ctx, sum, append(args, packages...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running the tests: %w", err)
	}
	return nil
}
