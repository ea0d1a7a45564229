package main

import (
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
)

// clientOptions say how to reach the clients that know of uses which
// containerd does not know of.
type clientOptions struct {
	kubelet kubeletOptions
	docker  dockerOptions
}

func (o *clientOptions) add(fs *pflag.FlagSet) {
	o.docker.add(fs)
	o.kubelet.add(fs)
}

// sources returns one source for each client that needs no store to be asked.
// Errors are usage errors.
func (o *clientOptions) sources() ([]prune.Source, error) {
	var sources []prune.Source
	pods, err := o.kubelet.source()
	if err != nil {
		return nil, err
	}
	if pods != nil {
		sources = append(sources, pods)
	}
	return sources, nil
}
