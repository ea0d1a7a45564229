package main

import (
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
)

// clientOptions say how to reach the clients that know of uses which
// containerd does not know of.
type clientOptions struct {
	kubelet kubeletOptions
}

func (o *clientOptions) add(fs *pflag.FlagSet) {
	o.kubelet.add(fs)
}

// sources returns one source for each client. Errors are usage errors.
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
