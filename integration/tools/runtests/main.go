package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// Both are far above what a machine with two cores needs.
const (
	unitTimeout        = "20m"
	integrationTimeout = "40m"
)

var unitPackages = []string{"./cmd/...", "./filters/...", "./leases/...", "./prune/..."}

func main() {
	only := flag.String("only", "", "run only the `PART` unit or integration")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !run(ctx, *only) {
		stop()
		os.Exit(1)
	}
}

// run goes on after a failure: the whole state is worth more than an early
// end.
func run(ctx context.Context, only string) bool {
	start := time.Now()
	s := newSummary(os.Stdout)
	if only != "integration" {
		fmt.Println("== unit and property tests")
		s.fail(goTest(ctx, s, append([]string{"-timeout", unitTimeout}, unitPackages...)...))
	}
	if only != "unit" {
		fmt.Println("== programs for the integration tests")
		provide(ctx, s)
		fmt.Println("== integration tests")
		// Not from the cache: what they test is the machine as well.
		s.fail(goTest(ctx, s, "-count", "1", "-timeout", integrationTimeout, "./integration/..."))
		daemon.Sweep()
	}
	s.fail(ctx.Err())
	return s.print(time.Since(start))
}

// goTest runs go test. That tests failed is no error here: their events say so.
func goTest(ctx context.Context, s *summary, args ...string) error {
	// Two packages at once: each starts daemons and measures disk and time.
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-p", "2"}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	rerr := s.read(out)
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && s.failed > 0 {
		err = nil
	}
	return errors.Join(rerr, err)
}

// provide builds or installs the real programs. One that cannot be had here
// makes tests skip, which the summary shows; a failed build is a failure.
func provide(ctx context.Context, s *summary) {
	wanted := parts.All()
	if os.Geteuid() != 0 {
		wanted = []parts.Part{parts.Containerd24, parts.Containerd17, parts.Umoci, parts.Skopeo}
	}
	if reason := daemon.Unsupported(); reason != "" {
		fmt.Println("none:", reason)
		return
	}
	for _, part := range wanted {
		start := time.Now()
		_, err := parts.Ensure(ctx, part)
		switch {
		case errors.Is(err, parts.ErrUnavailable):
			fmt.Printf("%s: %v\n", part, err)
		case err != nil:
			s.fail(err)
		default:
			fmt.Printf("ready  %-32s %s\n", part, time.Since(start).Round(100*time.Millisecond))
		}
	}
}
