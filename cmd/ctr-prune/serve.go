package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // windows name zones, which a node or an image may not have

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/cluster"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/metrics"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/notify"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const serveLong = `Work on a node by a policy file, until it is stopped: remove what the policy lets
go, on a schedule and when asked to, and tell how it is over HTTP and in the log.

The file is read again on SIGHUP and when it has changed; one with errors leaves
the one before in use. SIGUSR1 asks for a run now. SIGTERM ends it: a run that is
under way is finished in order.

Only one works on a node: another one waits until it ends.`

const serveExamples = `  # What would it remove?
  ctr-prune serve --config /etc/ctr-prune/config.yaml --dry-run

  # Run now, and read the file again
  systemctl kill --signal USR1 ctr-prune
  systemctl reload ctr-prune

  # How is it, and what did it do?
  curl http://127.0.0.1:9745/status
  ctr-prune history`

// serveOptions are the flags of serve.
type serveOptions struct {
	store     storeOptions
	clients   clientOptions
	config    string
	dryRun    bool
	logFormat string
	node      string
	prefixes  []string
	act       actOptions
}

const (
	flagConfig    = "config"
	flagLogFormat = "log-format"
	flagNode      = "node-name"
	envNode       = "NODE_NAME"
)

func newServe(p process) *cobra.Command {
	o := &serveOptions{}
	cmd := &cobra.Command{
		Use:     "serve --config FILE [flags]",
		Short:   "Work on a node by a policy file until stopped",
		Long:    serveLong,
		Example: serveExamples,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd, p) },
	}
	addGroup(cmd, "What to do", o.add)
	addGroup(cmd, "Where", o.store.addSocket)
	addGroup(cmd, "What else is in use", o.clients.adder("the file of --config or --pods"))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		fs.StringVar(&o.logFormat, flagLogFormat, "text", "write the log to stderr in this `FORMAT`: text or json")
	})
	completeFlags(cmd, p, &commonOptions{})
	completeFlag(cmd, flagConfig, files)
	completeFlag(cmd, flagLogFormat, fixed("text", "json"))
	completeFlag(cmd, flagNode, fixed())
	return cmd
}

func (o *serveOptions) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.config, flagConfig, "", "work by the policy in this `FILE`, with its section serve")
	fs.BoolVar(&o.dryRun, "dry-run", false, "only tell what runs would remove, and change nothing")
	fs.StringVar(&o.node, flagNode, "", "this is the `NODE` of that name, which decides when within serve.jitter runs begin ($"+envNode+" or the name of the host if not given)")
	fs.StringVar(&o.act.maxStall, flagStall, "250ms", "collect what is removed in parts, so that nobody waits much longer than this `DURATION` for a garbage collection; 0 or none collects everything at once")
	fs.StringArrayVar(&o.prefixes, "dangling-prefix", nil, "also treat names of the form `PREFIX`@DIGEST as dangling, as buildkit makes them with dangling-name-prefix (repeatable)")
}

// addSocket adds only the flags of a containerd that runs.
func (o *storeOptions) addSocket(fs *pflag.FlagSet) {
	o.addAddress(fs)
	o.addConnect(fs)
}

func (o *serveOptions) run(cmd *cobra.Command, p process) error {
	if o.config == "" {
		return usagef("give the policy file: ctr-prune serve --%s FILE", flagConfig)
	}
	if err := o.store.check(); err != nil {
		return err
	}
	if err := o.act.refuseStall(); err != nil {
		return err
	}
	log, err := o.log(p.stderr, cmd)
	if err != nil {
		return err
	}
	hangup, runNow, stop := residentSignals(p.keepHangup)
	defer stop()
	r := resident.New(o.options(p, log, hangup, runNow))
	var runErr error
	whole(func() { runErr = r.Run(cmd.Context()) })
	return runErr
}

// residentSignals are SIGHUP and SIGUSR1.
func residentSignals(keepHangup func()) (hangup, runNow <-chan os.Signal, stop func()) {
	hup, usr1 := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	signal.Notify(hup, syscall.SIGHUP)
	if keepHangup != nil {
		keepHangup()
	}
	return hup, usr1, func() { signal.Stop(hup); signal.Stop(usr1) }
}

func (o *serveOptions) log(w io.Writer, cmd *cobra.Command) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	if debug, err := cmd.Flags().GetBool(flagDebug); err == nil && debug {
		opts.Level = slog.LevelDebug
	}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	default:
		return nil, usagef("--%s=%s is unknown: choose text or json", flagLogFormat, o.logFormat)
	}
}

func (o *serveOptions) options(p process, log *slog.Logger, hangup, runNow <-chan os.Signal) resident.Options {
	host, _ := os.Hostname() // "" is a name as well as any
	node := cmp.Or(o.node, p.getenv(envNode), host)
	return resident.Options{
		Load: func(ctx context.Context) (*prune.Retention, error) { return o.load(ctx, p) },
		File: o.config,
		Connect: func(ctx context.Context, r *prune.Retention) (prune.Store, map[string]prune.Source, error) {
			return o.connect(ctx, p, r, node)
		},
		Disks: prune.Disks, Event: o.events(p, node), Kubelet: o.marks(node),
		Node: node, Self: fmt.Sprintf("process %d on %s", os.Getpid(), host), Local: time.Local, Now: p.now, Log: log,
		Metrics: metrics.New(version().Version, p.now),
		Manager: notify.New(p.getenv, os.Getpid()),
		Hangup:  hangup, RunNow: runNow, DryRun: o.dryRun, MaxStall: o.act.stall, DanglingPrefixes: o.prefixes,
		Namespace: cmp.Or(p.getenv(envNamespace), text.DefaultNamespace), Version: version().Version,
	}
}

// events returns what tells the cluster of events.
func (o *serveOptions) events(p process, node string) func(context.Context, cluster.Event) error {
	events := &cluster.Events{Access: o.access(o.apiserver(p.getenv)), Node: node, Now: p.now}
	return func(ctx context.Context, e cluster.Event) error {
		if events.Access.URL == "" {
			return errors.New("serve.events needs an API server: run in a pod of the cluster, or name its list of pods with --pods")
		}
		return events.Tell(ctx, e)
	}
}

// marks returns what asks the kubelet of the node for its marks. The API server could
// be asked to ask it, but whoever may do that may run commands in every container.
func (o *serveOptions) marks(node string) func(context.Context) (cluster.Marks, error) {
	kubelet := (&url.URL{Scheme: "https", Host: net.JoinHostPort(node, kubeletPort)}).String()
	if at, err := url.Parse(o.clients.kubelet.pods); err == nil && at.Scheme == "https" && at.Path == "/pods" {
		kubelet = (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
	}
	access := o.access(kubelet)
	return func(ctx context.Context) (cluster.Marks, error) { return cluster.Kubelet(ctx, access) }
}

// access is that of the pods.
func (o *serveOptions) access(server string) cluster.Access {
	c := o.clients.kubelet.connect
	return cluster.Access{URL: server, TokenFile: c.TokenFile, CAFile: c.CAFile, Insecure: c.Insecure}
}

// apiserver is that of the list of pods, or of the cluster that this pod is in; "" if
// there is none.
func (o *serveOptions) apiserver(getenv func(string) string) string {
	if at, err := url.Parse(o.clients.kubelet.pods); err == nil && at.Scheme == "https" && strings.HasPrefix(at.Path, "/api/") {
		return (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
	}
	if host := getenv("KUBERNETES_SERVICE_HOST"); host != "" {
		return (&url.URL{Scheme: "https", Host: net.JoinHostPort(host, cmp.Or(getenv("KUBERNETES_SERVICE_PORT"), "443"))}).String()
	}
	return ""
}

const kubeletPort = "10250"

// load reads the configuration.
func (o *serveOptions) load(ctx context.Context, p process) (*prune.Retention, error) {
	r, err := readRetention(ctx, p, o.config, o.clients.insecureFile)
	if err != nil {
		return nil, err
	}
	if r.Serve.Pods == "apiserver" && p.getenv("KUBERNETES_SERVICE_HOST") == "" && !o.clients.kubelet.flags.Changed("pods") {
		return nil, usagef("%s: serve.pods.source is apiserver, and this is no pod of a cluster: name the API server's list with --pods", o.config)
	}
	if r.Serve.Pods == "file" && !o.clients.kubelet.flags.Changed("pods") {
		return nil, usagef("%s: serve.pods.source is file: name the file with --pods", o.config)
	}
	return r, nil
}

// connect opens the store and asks who else uses its images.
func (o *serveOptions) connect(ctx context.Context, p process, r *prune.Retention, node string) (prune.Store, map[string]prune.Source, error) {
	clients := o.clients // choices are made anew each time: Docker may have come meanwhile
	if err := clients.docker.choose(p, false); err != nil {
		return nil, nil, err
	}
	sources := make(map[string]prune.Source)
	if err := clients.addPods(sources, p, r.Serve.Pods, node); err != nil {
		return nil, nil, err
	}
	store, err := o.store.open(ctx, p.getenv, false)
	if err != nil {
		return nil, nil, err
	}
	docker, err := clients.docker.source(nil, store, o.store.insecure)
	if err != nil {
		return nil, nil, firstError(err, store.Close())
	}
	for _, source := range docker {
		sources["docker"] = source
	}
	return store, sources, nil
}

// addPods adds the source of pods that a flag or the configuration names.
func (o *clientOptions) addPods(sources map[string]prune.Source, p process, from, node string) error {
	pods := o.kubelet
	if address := podsOf(from, node, p.getenv); address != "" && !pods.flags.Changed("pods") {
		pods.pods, pods.named = address, true
	}
	source, err := pods.source(caller(p), o.insecureFile)
	if source != nil {
		sources["pods"] = source
	}
	return err
}

// podsOf is where the pods of the node are listed, "" if nowhere.
func podsOf(source, node string, getenv func(string) string) string {
	switch source {
	case "kubelet":
		return (&url.URL{Scheme: "https", Host: net.JoinHostPort(node, kubeletPort), Path: "/pods"}).String()
	case "apiserver":
		host := net.JoinHostPort(getenv("KUBERNETES_SERVICE_HOST"), cmp.Or(getenv("KUBERNETES_SERVICE_PORT"), "443"))
		// Version 0 is answered from memory: a fleet that reads etcd is too much for it.
		query := url.Values{"fieldSelector": {"spec.nodeName=" + node}, "resourceVersion": {"0"}}
		return (&url.URL{Scheme: "https", Host: host, Path: "/api/v1/pods", RawQuery: query.Encode()}).String()
	default:
		return ""
	}
}
