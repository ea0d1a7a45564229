package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/docker"
)

const flagDockerHost = "docker-host"

// dockerOptions say which Docker Engine to ask for its containers.
type dockerOptions struct {
	flags *pflag.FlagSet
	host  string
}

func (o *dockerOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.host, flagDockerHost, "", "ask the Docker Engine at this unix socket `PATH` for its containers, stopped ones too; without it nothing is removed from Docker's namespace (default that of $DOCKER_HOST, or "+docker.DefaultSocket+" if it exists)")
}

// choose settles which Engine is asked, before any store is opened. A store
// without a containerd has none.
func (o *dockerOptions) choose(p process, root bool) error {
	given := o.flags.Changed(flagDockerHost)
	switch {
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
	return append(sources, engine), nil
}
