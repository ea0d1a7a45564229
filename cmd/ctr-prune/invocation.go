package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/containerd/log"
	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/locate"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// commonOptions are the flags that commands on a store share. Those that a
// command does not have keep their zero values.
type commonOptions struct {
	store   storeOptions
	policy  policyOptions
	clients clientOptions
	output  outputOptions
	state   stateOptions
}

// work is a command on a store. All of them run the same way:
//
//	flags -> what is wrong with them -> open the store -> do -> show
//
// R is a row of what is shown, as templates see it.
type work[R any] struct {
	options *commonOptions
	shape   format.Shape[R]
	// refuse returns an error if the arguments or the command's own flags are
	// wrong, before the store is opened. It is nil if they cannot be wrong.
	refuse func(context.Context, *invocation) error
	// changes says whether the flags ask for changes to the store. It is nil if the
	// command only looks.
	changes func() bool
	// do does the work and shows the result.
	do func(context.Context, *invocation, *format.Output[R]) error
}

// always is for commands that are there to change the store.
func always() bool { return true }

// run runs the command, as cobra calls it.
func (w work[R]) run(p process) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		in, err := newInvocation(p, cmd, w.options, args)
		if err != nil {
			return err
		}
		out, err := newOutput(p, w.options.output, w.shape)
		if err != nil {
			return err
		}
		ctx, cancel := w.options.store.limit(cmd.Context())
		defer cancel()
		if in.policy.Retention, err = in.retention(ctx); err != nil {
			return err
		}
		if w.refuse != nil {
			if err := w.refuse(ctx, in); err != nil {
				return err
			}
		}
		looks := w.changes == nil || !w.changes()
		return in.open(ctx, looks, func() (err error) {
			if in.policy.LastUse, err = in.lastUse(ctx); err != nil {
				return err
			}
			return w.do(ctx, in, out)
		})
	}
}

// invocation is one call of a command on a store: its flags and, once it is
// open, the store.
type invocation struct {
	process
	options *commonOptions
	args    []string
	debug   bool
	// policy is what may be removed, and where, according to the flags.
	policy prune.Policy
	store  prune.Store
	// sources report images in use that the store itself does not know about.
	sources []prune.Source
	// readAt is when the store was last read.
	readAt time.Time
}

// newInvocation returns an error for flags that cannot be used.
func newInvocation(p process, cmd *cobra.Command, o *commonOptions, args []string) (*invocation, error) {
	if err := o.store.check(); err != nil {
		return nil, err
	}
	if err := o.clients.docker.choose(p, o.store.root != ""); err != nil {
		return nil, err
	}
	if o.policy.arguments.taken {
		o.policy.arguments.names = args
	}
	policy, err := o.policy.policy(p.getenv, p.now())
	if err != nil {
		return nil, err
	}
	debug, err := cmd.Flags().GetBool(flagDebug)
	return &invocation{process: p, options: o, args: args, policy: policy, debug: debug}, err
}

// open opens the store, perhaps only to look at it, and calls do.
func (in *invocation) open(ctx context.Context, looks bool, do func() error) (err error) {
	o := in.options
	if in.sources, err = o.clients.sources(in.process); err != nil {
		return err
	}
	if in.store, err = o.store.open(ctx, in.getenv, looks); err != nil {
		return stopped(ctx, err)
	}
	defer func() { err = errors.Join(err, in.store.Close()) }()
	if in.sources, err = o.clients.docker.source(in.sources, in.store, o.store.insecure); err != nil {
		return err
	}
	return do()
}

// read calls a function that reads the store, with progress on a terminal.
func (in *invocation) read(ctx context.Context, opts prune.ReadOptions, do func(time.Time, prune.ReadOptions) error) error {
	bar := in.progress(ctx)
	defer bar.stop()
	in.readAt = in.now()
	opts.Sources, opts.Progress = in.sources, both(opts.Progress, bar.tell)
	if err := do(in.readAt, opts); err != nil {
		return stopped(ctx, &unreadableError{err})
	}
	if err := idle(in.sources); err != nil {
		return err
	}
	log.G(ctx).Debugf("read the store in %s", in.now().Sub(in.readAt))
	return nil
}

// plan reads the store and decides by the policy.
func (in *invocation) plan(ctx context.Context, opts prune.ReadOptions) (plan *prune.Plan, err error) {
	err = in.read(ctx, opts, func(now time.Time, opts prune.ReadOptions) (err error) {
		if in.policy.Pressure, err = in.options.policy.relief.pressure(ctx, in.store, in.policy.Retention); err != nil {
			return err
		}
		plan, err = prune.ReadPlan(ctx, in.store, in.policy, now, opts)
		return err
	})
	return plan, err
}

// change calls a function that changes the store, with progress on a terminal.
func (in *invocation) change(ctx context.Context, opts prune.ExecuteOptions, do func(prune.ExecuteOptions)) {
	bar := in.progress(ctx)
	defer bar.stop()
	opts.Now, opts.Sources, opts.Progress = in.now, in.sources, both(opts.Progress, bar.tell)
	whole(func() { do(opts) })
}

// header begins the document of a result.
func (in *invocation) header(schema int, kind string) header { return header{schema, kind, in.readAt} }

// chosen reports whether one of the namespaces was selected by the flags.
func (in *invocation) chosen(namespaces ...string) bool {
	return in.policy.AllNamespaces || intersects(namespaces, in.policy.Namespaces)
}

// didNothing is the error of a run that was never begun: another one is in progress, or
// it was ended while it waited for that.
func didNothing(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return stopped(ctx, err)
	}
	return firstError(busyOf(err), err)
}

// busyOf returns, from several errors, the one that says that another run is in
// progress: the others follow from it.
func busyOf(err error) error {
	var busy *prune.Busy
	if errors.As(err, &busy) {
		return busy
	}
	return nil
}

// both calls two functions; either may be nil.
func both[T any](a, b func(T)) func(T) {
	if a == nil {
		return b
	}
	return func(v T) { a(v); b(v) }
}

// progress is off while logs are written to the same stream.
func (in *invocation) progress(ctx context.Context) progress {
	if in.debug {
		return progress{}
	}
	return newProgress(ctx, in.process)
}

// progress shows the progress of a run; the zero value shows nothing.
type progress struct{ line *terminal.Progress }

// newProgress starts to show progress on stderr if that is a terminal that
// can erase a line. Call stop before anything else is written.
func newProgress(ctx context.Context, p process) progress {
	width, isTerminal := p.columns(p.stderr)
	if !isTerminal || p.getenv("TERM") == "dumb" {
		return progress{}
	}
	line := &terminal.Progress{
		Out: p.stderr, Width: width, ASCII: !terminal.UTF8(p.getenv), Now: p.now, Text: progressText,
		Stopping: func() bool { return ctx.Err() != nil },
	}
	line.Start()
	return progress{line}
}

// tell records the progress of a stage. It is safe for concurrent use.
func (b progress) tell(p prune.Progress) {
	b.line.Tell(terminal.Stage{Name: string(p.Stage), Done: p.Done, Total: p.Total})
}

func (b progress) stop() { b.line.Stop() }

// progressText describes a stage that has lasted for some time.
func progressText(p terminal.Stage, lasted time.Duration) string {
	seconds := terminal.Lasted(lasted.Round(time.Second))
	rate := float64(p.Done) / max(lasted.Seconds(), 0.001)
	switch {
	case p.Name == string(prune.StageCollect):
		return fmt.Sprintf("Collecting garbage, %s", seconds)
	case p.Name == string(prune.StageVerify):
		return fmt.Sprintf("Reading blobs: %d of %d, %s", p.Done, p.Total, seconds)
	case p.Name == string(prune.StageMeasure):
		return fmt.Sprintf("Measuring what was freed, %s", seconds)
	case p.Total > 0 && p.Done > 0:
		left := terminal.Lasted(time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second))
		return fmt.Sprintf("%s records: %d of %d, %.0f/s, %s left", doing(p), p.Done, p.Total, rate, left)
	case p.Total > 0:
		return fmt.Sprintf("%s records: %d of %d", doing(p), p.Done, p.Total)
	}
	return fmt.Sprintf("Reading the store: %d objects, %s", p.Done, seconds)
}

// stageRestore is the stage of an undo.
const stageRestore = "restoring"

// doing is what is done with records in a stage.
func doing(p terminal.Stage) string {
	if p.Name == stageRestore {
		return "Restoring"
	}
	return "Removing"
}

// machineOf is where containerd is looked for.
func machineOf(getenv func(string) string) locate.Machine {
	return locate.Machine{Getenv: getenv, Unprivileged: os.Geteuid() != 0}
}
