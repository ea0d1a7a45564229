// Command ctr-prune removes unused images from a containerd store.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/containerd/log"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

func main() { os.Exit(run()) }

const (
	envCollect = "GOGC"
	// collectAt is by how many percent the memory in use of a large store grows before
	// garbage is collected. Go's default of 100 takes less CPU time but more memory, which
	// a node may be short of. A limit (GOMEMLIMIT) would save more up to some size, but if
	// a large store needs more memory than the limit, Go collects all the time and
	// needs many times the CPU time.
	collectAt = 40
	// leastGarbage and muchGarbage bound what is left to a smaller store, which is as much as
	// is in use: to collect from fewer bytes takes a fifth of the CPU time of a run and saves
	// nobody memory.
	leastGarbage = 12 << 20
	muchGarbage  = 64 << 20
	// leastInUse is what Go takes for the memory in use if it is less.
	leastInUse = 4 << 20
)

// paceCollections weighs the peak of memory against the time that it takes to
// collect garbage, anew after each collection, unless the user has set GOGC.
func paceCollections(getenv func(string) string) {
	if getenv(envCollect) != "" {
		return
	}
	type collected struct{ _ *int }
	var next func(*collected)
	next = func(c *collected) {
		inUse := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(inUse)
		debug.SetGCPercent(percentOf(int64(inUse[0].Value.Uint64())))
		runtime.SetFinalizer(c, next)
	}
	next(new(collected))
}

// percentOf is the value of GOGC for so many bytes in use.
func percentOf(inUse int64) int {
	garbage := min(max(inUse, leastGarbage), muchGarbage)
	return max(collectAt, int(garbage*100/max(inUse, leastInUse)))
}

// process is what the command gets from the operating system. Tests replace it;
// nothing else in this package accesses the system for these.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// columns returns the width of the terminal that a stream is connected to, and
	// false if it is not a terminal.
	columns func(stream any) (int, bool)
	now     func() time.Time
	// zone is the time zone of the user; UTC if nil.
	zone *time.Location
	// page shows what write writes in a pager; nil if there is none.
	page func(ctx context.Context, pager string, write func(io.Writer) error) error
	// logAt sends logs of that level and above to stderr.
	logAt func(slog.Level)
	// colour is what --color says: auto, always or never.
	colour *string
	// keepHangup makes SIGHUP not end the command any more; nil if it does not.
	keepHangup func()
	// leave is told what restores the terminal if the process ends at once; nil if
	// nobody ends it so.
	leave func(restore func())
	// github says that --format github was asked for, in which mistakes of the
	// command line are told as well.
	github bool
}

// run is the command as the operating system starts it. It returns the exit
// code.
func run() int {
	paceCollections(os.Getenv)
	var last leaving
	ctx, keepHangup, stop := withSignals(context.Background(), last.exit)
	defer stop()
	return Main(ctx, os.Args[1:], process{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, columns: terminal.Columns, now: time.Now, zone: time.Local, page: terminal.Page, logAt: logAt, keepHangup: keepHangup, leave: last.set,
	})
}

// leaving is what is done before the process ends at once.
type leaving struct{ restore atomic.Pointer[func()] }

func (l *leaving) set(restore func()) {
	if restore == nil {
		l.restore.Store(nil)
		return
	}
	l.restore.Store(&restore)
}

func (l *leaving) exit(code int) {
	if restore := l.restore.Load(); restore != nil {
		(*restore)()
	}
	os.Exit(code)
}

// Main runs the command with args and returns its exit code. It can be called
// any number of times.
func Main(ctx context.Context, args []string, p process) int {
	p.github = github.Asked(args)
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		completable(root)
	}
	return p.complain(root.ExecuteContext(ctx))
}

func (p process) isTerminal(stream any) bool {
	_, ok := p.columns(stream)
	return ok
}

// printer returns the printer for a stream.
func (p process) printer(stream io.Writer) *terminal.Printer {
	width, isTerminal := p.columns(stream)
	out := terminal.New(stream)
	out.Width = width
	out.Colour, out.ASCII, out.Zone = p.colours(isTerminal), !terminal.UTF8(p.getenv), p.zone
	return out
}

// The values of --color.
const (
	flagColour   = "color"
	colourAuto   = "auto"
	colourAlways = "always"
	colourNever  = "never"
)

// colours says whether a stream gets colours.
func (p process) colours(isTerminal bool) bool {
	typed := colourAuto
	if p.colour != nil && *p.colour != "" {
		typed = *p.colour
	}
	return typed == colourAlways || typed == colourAuto && isTerminal && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"
}

// addColour adds the flag for all commands.
func (p process) addColour(fs *pflag.FlagSet) {
	fs.StringVar(p.colour, flagColour, colourAuto, "use colours `WHEN`: auto (on a terminal, unless $NO_COLOR is set), always, never")
}

// checkColour refuses any other value.
func (p process) checkColour() error {
	if typed := *p.colour; typed != colourAuto && typed != colourAlways && typed != colourNever {
		return usagef("--%s=%s is unknown: choose auto, always or never", flagColour, typed)
	}
	return nil
}

// logAt sends the logs of containerd's packages and ctr-prune's own to stderr.
// The text handler quotes what is not printable.
func logAt(level slog.Level) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	log.UseSlog()
	log.L.Logger.SetLevel(log.InfoLevel)
	if level <= slog.LevelDebug {
		log.L.Logger.SetLevel(log.DebugLevel)
	}
}

var errSignal = errors.New("interrupted")

// withSignals returns a context that ends at the first SIGINT, SIGTERM or
// SIGHUP. The second one calls exit with 130 at once: a user who presses Ctrl-C
// twice does not want to wait, and the next run finishes this one. A SIGHUP
// that is ignored, as under nohup, stays ignored. After keepHangup SIGHUP has
// another meaning, for which somebody else waits.
func withSignals(ctx context.Context, exit func(int)) (_ context.Context, keepHangup, stop func()) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, signals...)
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var kept atomic.Bool
	go func() {
		for count := 0; ; {
			select {
			case <-done:
				return
			case s := <-ch:
				if s == syscall.SIGHUP && kept.Load() {
					continue
				}
				if count++; count > 1 {
					exit(exitInterrupted)
				}
				cancel(errSignal)
			}
		}
	}()
	return ctx, func() { kept.Store(true) }, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}

// whole calls do, which changes a store. Meanwhile a write to a closed pipe, as
// in ctr-prune --format jsonl | head, only fails and does not end the program.
func whole(do func()) {
	if !signal.Ignored(syscall.SIGPIPE) {
		signal.Ignore(syscall.SIGPIPE)
		defer signal.Reset(syscall.SIGPIPE)
	}
	do()
}
