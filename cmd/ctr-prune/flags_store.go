package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	defaultAddress = "/run/containerd/containerd.sock"
	envAddress     = "CONTAINERD_ADDRESS"
	connectTimeout = 10 * time.Second
)

// storeOptions say which store a command works on, and for how long.
type storeOptions struct {
	flags   *pflag.FlagSet
	address string
	root    string
	timeout time.Duration
	connect time.Duration
	// insecure accepts a socket that others control.
	insecure bool
}

func (o *storeOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.address, "address", defaultAddress, "containerd's socket is this `PATH` ($"+envAddress+" if not given)")
	fs.BoolVar(&o.insecure, "allow-insecure-socket", false, "connect to containerd or Docker even if the socket is not root's or yours, or others may replace it, or every user may write to it")
	fs.StringVar(&o.root, "root", "", "instead of a socket, open the root `DIR` of a containerd that does not run")
	fs.DurationVar(&o.timeout, "timeout", 0, "stop deleting after this `DURATION`, finish what was deleted, and exit 130 (default no limit)")
	fs.DurationVar(&o.connect, "connect-timeout", connectTimeout, "wait at most this `DURATION` for containerd to answer")
}

// check refuses what cannot be used, before anything is opened.
func (o *storeOptions) check() error {
	given := func(name string) bool { return o.flags.Changed(name) }
	switch {
	case given("address") && given("root"):
		return usagef("--address and --root contradict each other: choose a running containerd or the files of a stopped one")
	case given("timeout") && o.timeout <= 0:
		return usagef("--timeout %s is not above zero: give a duration such as 10m", o.timeout)
	case o.connect <= 0:
		return usagef("--connect-timeout %s is not above zero: give a duration such as 10s", o.connect)
	}
	return nil
}

// again are the flags that name the store, to be typed once more.
func (o *storeOptions) again() string {
	switch {
	case o.root != "":
		return " --root " + shellWord(o.root)
	case o.flags.Changed("address"):
		return " --address " + shellWord(o.address)
	}
	return ""
}

// limit returns ctx with the deadline that --timeout sets.
func (o *storeOptions) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, o.timeout, errors.New("the time given by --timeout is up"))
}

// open opens the store. The caller closes it.
func (o *storeOptions) open(ctx context.Context, getenv func(string) string) (prune.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.root != "" {
		return prune.OpenRoot(ctx, o.root)
	}
	wait := o.connect
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	opts := []prune.OpenOption{prune.WithTimeout(wait)}
	if o.insecure {
		opts = append(opts, prune.WithInsecureSocket())
	}
	return prune.Open(ctx, o.where(getenv), opts...)
}

// where is the address of the socket.
func (o *storeOptions) where(getenv func(string) string) string {
	if address := getenv(envAddress); address != "" && !o.flags.Changed("address") {
		return address
	}
	return o.address
}
