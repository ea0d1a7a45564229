package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
	"github.com/ctr-prune/ctr-prune/prune/clients/kubelet"
)

// clientOptions say how to reach the clients whose uses of images containerd
// does not know about.
type clientOptions struct {
	kubelet kubeletOptions
	docker  dockerOptions
	// insecureFile accepts files that other users could have written.
	insecureFile bool
}

func (o *clientOptions) add(fs *pflag.FlagSet) { o.adder("the file of --pods")(fs) }

// adder adds the flags; files are those that have to be trusted.
func (o *clientOptions) adder(files string) func(*pflag.FlagSet) {
	return func(fs *pflag.FlagSet) {
		o.docker.add(fs)
		o.kubelet.add(fs)
		fs.BoolVar(&o.insecureFile, flagInsecureFile, false, "accept "+files+" even if it belongs to another user, or others may write to it or replace it")
	}
}

// sources returns one source for each client that can be asked without a store.
// Errors are usage errors.
func (o *clientOptions) sources(p process) ([]prune.Source, error) {
	var sources []prune.Source
	pods, err := o.kubelet.source(caller(p), o.insecureFile)
	if err != nil {
		return nil, err
	}
	if pods != nil {
		file := o.kubelet.pods
		if strings.Contains(file, "://") {
			file = ""
		}
		sources = append(sources, perhapsAbsent(pods, flagPods, file))
	}
	return sources, nil
}

// absentSource is a source whose file or socket was typed and does not exist.
type absentSource struct {
	prune.Source
	said  error
	asked atomic.Bool
}

// perhapsAbsent returns an [absentSource] if there is nothing at the path.
func perhapsAbsent(source prune.Source, flag, path string) prune.Source {
	if path == "" {
		return source
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &absentSource{Source: source, said: usagef("--%s: there is no %s, and nothing that was read needs it: leave the flag out, or give another path", flag, path)}
	}
	return source
}

// Uses implements [prune.Source].
func (s *absentSource) Uses(ctx context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	uses, covered, err := s.Source.Uses(ctx, asked)
	if covered || err != nil {
		s.asked.Store(true) // which closes a namespace, and tells what is wrong
	}
	return uses, covered, err
}

// idle refuses what does not exist and was not asked: a mistake of which nothing
// else tells.
func idle(sources []prune.Source) error {
	for _, source := range sources {
		if s, absent := source.(*absentSource); absent && !s.asked.Load() {
			return s.said
		}
	}
	return nil
}

const (
	flagPods       = "pods"
	flagDockerHost = "docker-host"
	flagDockerGone = "docker-gone"
)

// dockerOptions say which Docker Engine to ask for its containers.
type dockerOptions struct {
	flags *pflag.FlagSet
	host  string
	// gone says that there is no Engine any more.
	gone bool
	// sockets are where there must be none then.
	sockets []string
}

func (o *dockerOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.host, flagDockerHost, "", "ask the Docker Engine at this unix socket `PATH` for its containers, stopped ones too; without it nothing is removed from Docker's namespace (default that of $DOCKER_HOST, or "+docker.DefaultSocket+" if it exists)")
	fs.BoolVar(&o.gone, flagDockerGone, false, "prune Docker's namespace without asking Docker, because it was uninstalled or cannot start: assumes that there are no Docker containers, stopped ones included, but those of which containerd holds the files, and that no container needs its image's name; refused as long as Docker's socket, a dockerd, or a unit that starts it is there")
}

// choose decides which Engine is asked, before any store is opened. A store
// whose containerd is stopped has none.
func (o *dockerOptions) choose(p process, root bool) error {
	if o.flags == nil { // a command that does not ask
		return nil
	}
	given := o.flags.Changed(flagDockerHost)
	switch {
	case given && o.gone:
		return usagef("--%s and --%s contradict each other: an Engine that can be asked is not gone", flagDockerHost, flagDockerGone)
	case o.gone:
		o.sockets = []string{docker.DefaultSocket, "/run/docker.sock"}
		if host := p.getenv("DOCKER_HOST"); docker.Check(host) == nil {
			o.sockets = append(o.sockets, host)
		}
	case given && root:
		return usagef("--%s and --root contradict each other: Docker does not run without its containerd", flagDockerHost)
	case given:
		if err := docker.Check(o.host); err != nil {
			return usagef("--%s cannot be used: %s", flagDockerHost, err)
		}
	case !root:
		o.host = docker.Default(p.getenv, os.Stat)
	}
	return nil
}

// source adds the Engine to the sources, if there is one.
func (o *dockerOptions) source(sources []prune.Source, store prune.Store, insecure bool) ([]prune.Source, error) {
	if o.gone {
		return append(sources, docker.Gone(os.DirFS("/"), o.sockets...)), nil
	}
	if o.host == "" {
		return sources, nil
	}
	var opts []docker.Option
	if insecure {
		opts = append(opts, docker.WithInsecureSocket())
	}
	engine, err := docker.New(o.host, store, opts...)
	if err != nil {
		return nil, usagef("$DOCKER_HOST cannot be used: %s", err)
	}
	if !o.flags.Changed(flagDockerHost) {
		return append(sources, engine), nil
	}
	return append(sources, perhapsAbsent(engine, flagDockerHost, strings.TrimPrefix(o.host, "unix://"))), nil
}

// kubeletOptions say where the pods of this node are listed. The names after
// "pods" are kubectl's.
type kubeletOptions struct {
	flags   *pflag.FlagSet
	pods    string
	connect kubelet.Options
	// named says that pods was given otherwise than by its flag.
	named bool
}

func (o *kubeletOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.pods, flagPods, "", "also keep the images that pods of this node need, including pods that have no container yet: read the pods from `URL|FILE`, such as https://NODE-NAME:10250/pods or the output of kubectl get pods -o json (by default a kubelet's certificate has only the name of its node, so that 127.0.0.1 fails, and is verified with --pods-certificate-authority /var/lib/kubelet/pki/kubelet.crt)")
	fs.BoolVar(&o.connect.MayBeEmpty, "pods-may-be-empty", false, "accept an empty list from --pods if no pod runs here: this node may have none (a kubelet that has just started also returns an empty list)")
	fs.StringVar(&o.connect.TokenFile, "pods-token-file", "", "read the bearer token for the URL of --pods from this `FILE` (default that of the service account, if there is one)")
	fs.StringVar(&o.connect.CAFile, "pods-certificate-authority", "", "verify the certificate of --pods with the authorities in this `FILE` (default the system's and the cluster's)")
	fs.StringVar(&o.connect.CertFile, "pods-client-certificate", "", "authenticate to the URL of --pods with the client certificate in this `FILE`")
	fs.StringVar(&o.connect.KeyFile, "pods-client-key", "", "read the key of the client certificate from this `FILE`")
	fs.BoolVar(&o.connect.Insecure, "pods-insecure-skip-tls-verify", false, "do not verify the certificate of --pods")
}

// source returns the source of --pods, or nil without it. A file that belongs
// to owner is trusted.
func (o *kubeletOptions) source(owner int, insecure bool) (prune.Source, error) {
	if o.flags == nil { // a command that does not ask
		return nil, nil
	}
	if !o.flags.Changed(flagPods) && !o.named {
		given := false
		o.flags.Visit(func(f *pflag.Flag) { given = given || strings.HasPrefix(f.Name, "pods-") })
		if given {
			return nil, usagef("the options --pods-… need --pods itself: give the URL or the file that lists the pods")
		}
		return nil, nil
	}
	connect := o.connect
	connect.Owner, connect.InsecureFile = owner, insecure
	source, err := kubelet.New(o.pods, connect)
	if err != nil {
		return nil, usagef("--pods cannot be used: %s", err)
	}
	return source, nil
}
