package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/locate"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/typed"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	envNamespace   = "CONTAINERD_NAMESPACE"
	flagIngests    = "ingests"
	leastIngestAge = 24 * time.Hour
)

// policyOptions say what may be removed, as typed.
type policyOptions struct {
	all            bool
	until, filters []string
	namespaces     []string
	everywhere     bool
	prefixes       []string
	ingests        string
	retention      retentionOptions
	arguments      imageArguments
	relief         reliefOptions
	// looking says that the command only reads: then all namespaces are included
	// unless some are named.
	looking bool
}

func (o *policyOptions) add(fs *pflag.FlagSet) {
	o.addChoice(fs)
	fs.StringArrayVarP(&o.namespaces, "namespace", "n", nil, "prune this `NAMESPACE` (repeatable; $"+envNamespace+" or \""+text.DefaultNamespace+"\" if not given)")
	fs.BoolVar(&o.everywhere, "all-namespaces", false, "prune every namespace, each by the rules of its clients")
	o.addPrefixes(fs)
	fs.StringVar(&o.ingests, flagIngests, "", "also abort unfinished uploads that no lease holds and that were last written to at least this `AGE` ago, 24h or more")
	fs.Lookup(flagIngests).NoOptDefVal = "24h"
	o.relief.add(fs)
}

// addLooking adds the flags of a command that says what a prune would do.
func (o *policyOptions) addLooking(fs *pflag.FlagSet) {
	o.addChoice(fs)
	o.addPrefixes(fs)
	o.addScope(fs)
}

// addScope adds only the flags that choose namespaces to read.
func (o *policyOptions) addScope(fs *pflag.FlagSet) {
	o.looking = true
	fs.StringArrayVarP(&o.namespaces, "namespace", "n", nil, "look only at this `NAMESPACE` (repeatable; $"+envNamespace+", or every namespace, if not given)")
	fs.BoolVar(&o.everywhere, "all-namespaces", false, "look at every namespace, whatever $"+envNamespace+" says")
}

func (o *policyOptions) addPrefixes(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.prefixes, "dangling-prefix", nil, "also treat names of the form `PREFIX`@DIGEST as dangling, as buildkit makes them with dangling-name-prefix (repeatable)")
}

func (o *policyOptions) addChoice(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.all, "all", "a", false, "every unused image, not only dangling ones")
	fs.StringArrayVar(&o.until, "until", nil, "only images of at least this `AGE`, such as 72h, 3d or 2w, or from before a time, such as 2026-01-31 (repeatable)")
	fs.StringArrayVar(&o.filters, "filter", nil, "only images that match `KEY=VALUE`, see the filters below (repeatable)")
	o.retention.add(fs)
}

// policy turns what was typed into a policy. Errors are usage errors.
func (o *policyOptions) policy(getenv func(string) string, now time.Time) (prune.Policy, error) {
	set, err := filters.Parse(o.choice(), now)
	if err != nil {
		return prune.Policy{}, err
	}
	if err := firstError(o.retention.check(set.DanglingOnly()), o.relief.check()); err != nil {
		return prune.Policy{}, err
	}
	for _, prefix := range o.prefixes {
		if prefix == "" || strings.Contains(prefix, "@") {
			return prune.Policy{}, usagef("--dangling-prefix %q is not a prefix: give the part before the @ of such names", prefix)
		}
	}
	p := prune.Policy{Filters: set, DanglingPrefixes: o.prefixes}
	if p.IngestAge, err = o.ingestAge(); err != nil {
		return prune.Policy{}, err
	}
	return p, o.scope(&p, getenv)
}

// scope sets the namespaces. Only the built-in default may be missing: if a
// user names a namespace that does not exist, it is an error.
func (o *policyOptions) scope(p *prune.Policy, getenv func(string) string) error {
	for _, ns := range o.namespaces {
		if ns == "" {
			return usagef("--namespace is empty: give the name of a namespace, or --all-namespaces")
		}
	}
	fromEnv := getenv(envNamespace)
	switch {
	case o.everywhere && len(o.namespaces) > 0:
		return usagef("--namespace and --all-namespaces contradict each other: choose one of them")
	case o.everywhere:
		p.AllNamespaces = true
	case len(o.namespaces) > 0:
		p.Namespaces = o.namespaces
	case o.looking && fromEnv == "":
		p.AllNamespaces = true
	case fromEnv != "":
		p.Namespaces = []string{fromEnv}
	default:
		p.Namespaces, p.MissingOK = []string{text.DefaultNamespace}, true
	}
	return nil
}

// ingestAge is the age from which an upload counts as abandoned, 0 if uploads
// are not aborted. A pull over a bad connection may pause for hours.
func (o *policyOptions) ingestAge() (time.Duration, error) {
	if o.ingests == "" {
		return 0, nil
	}
	age, err := filters.ParseAge(o.ingests)
	switch {
	case err != nil:
		return 0, usagef("--%s=%s: %s", flagIngests, o.ingests, err)
	case age < leastIngestAge:
		return 0, usagef("--%s=%s is too young: an upload may rest for hours, so give 24h or more", flagIngests, o.ingests)
	}
	return age, nil
}

const (
	envAddress     = "CONTAINERD_ADDRESS"
	connectTimeout = 10 * time.Second
)

// storeOptions say which store a command works on, and for how long.
type storeOptions struct {
	flags        *pflag.FlagSet
	address      string
	distribution string
	root         string
	timeout      time.Duration
	connect      time.Duration
	// insecure accepts a socket that other users control.
	insecure bool
}

// What --timeout does, by what a command does.
const (
	stopsDeleting = "stop deleting after this `DURATION`, free what was deleted, and exit with 130 (default no limit)"
	stopsWorking  = "stop after this `DURATION`, and exit with 130; what was done until then stays done (default no limit)"
	stopsLooking  = "give up after this `DURATION`, and exit with 130 (default no limit)"
)

// adder adds the flags; stops says what --timeout does, which there is not if that is
// empty.
func (o *storeOptions) adder(stops string) func(*pflag.FlagSet) {
	return func(fs *pflag.FlagSet) {
		o.addAddress(fs)
		fs.StringVar(&o.root, "root", "", "open the root `DIR` of a stopped containerd instead of connecting to a socket")
		if stops != "" {
			fs.Var(typed.NewDuration(&o.timeout, 0), "timeout", stops)
		}
		o.addConnect(fs)
	}
}

func (o *storeOptions) addAddress(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.address, "address", "", "connect to containerd's socket at this `PATH` (if not given: $"+envAddress+", what nerdctl or crictl are configured with, or where it is found)")
	fs.StringVar(&o.distribution, "distribution", "", "connect to the containerd of this `NAME`: "+strings.Join(locate.Distributions(), ", "))
	fs.BoolVar(&o.insecure, "allow-insecure-socket", false, "connect to containerd or Docker even if the socket belongs to another user, others may replace it, or every user may write to it")
}

func (o *storeOptions) addConnect(fs *pflag.FlagSet) {
	fs.Var(typed.NewDuration(&o.connect, connectTimeout), "connect-timeout", "wait at most this `DURATION` for containerd to answer")
}

// check returns an error for flags that cannot be used, before anything is
// opened.
func (o *storeOptions) check() error {
	given := func(name string) bool { return o.flags.Changed(name) }
	switch {
	case given("address") && given("root"):
		return usagef("--address and --root contradict each other: choose a running containerd or the files of a stopped one")
	case given("distribution") && (given("root") || given("address")):
		return usagef("--distribution names a running containerd, as --address does, and --root the files of a stopped one: choose one of them")
	case given("timeout") && o.timeout <= 0:
		return usagef("--timeout %s is not above zero: give a duration such as 10m", o.timeout)
	case o.connect <= 0:
		return usagef("--connect-timeout %s is not above zero: give a duration such as 10s", o.connect)
	}
	return nil
}

// again are the flags that name the store, for a suggested command.
func (o *storeOptions) again() string {
	switch {
	case o.root != "":
		return " --root " + shellWord(o.root)
	case o.flags.Changed("address"):
		return " --address " + shellWord(o.address)
	case o.distribution != "":
		return " --distribution " + o.distribution
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

// open opens the store; looks says that nothing is to be changed in it. The caller
// closes it.
func (o *storeOptions) open(ctx context.Context, getenv func(string) string, looks bool) (prune.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	machine := machineOf(getenv)
	if o.root != "" {
		store, err := o.openRoot(ctx, looks)
		return store, machine.Hinted(err, "")
	}
	address, from, err := o.where(machine)
	if err != nil {
		return nil, err
	}
	wait := o.connect
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	opts := []prune.OpenOption{prune.WithTimeout(wait)}
	if o.insecure {
		opts = append(opts, prune.WithInsecureSocket())
	}
	store, err := prune.Open(ctx, address, opts...)
	return store, machine.Hinted(err, from)
}

// openRoot opens a root; if it is only looked at, it need not be writable, and is
// opened faster.
func (o *storeOptions) openRoot(ctx context.Context, looks bool) (prune.Store, error) {
	if looks {
		return prune.OpenRoot(ctx, o.root, prune.WithReadOnly())
	}
	return prune.OpenRoot(ctx, o.root)
}

// where is the address of the socket, and what says so, unless it was typed or found.
func (o *storeOptions) where(machine locate.Machine) (address, from string, err error) {
	if o.flags.Changed("address") {
		return o.address, "", nil
	}
	if o.distribution != "" {
		if address, err = machine.Socket(o.distribution); err != nil {
			err = usagef("--distribution: %s", err)
		}
		return address, "", err
	}
	if address = machine.Getenv(envAddress); address != "" {
		return address, "$" + envAddress, nil
	}
	if address, from, err = machine.Find(); err != nil {
		err = usagef("%s; choose one with --address or --distribution", err)
	}
	return address, from, err
}
