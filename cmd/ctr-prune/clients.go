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
	// insecureFile believes files that others may have written.
	insecureFile bool
}

func (o *clientOptions) add(fs *pflag.FlagSet) {
	o.docker.add(fs)
	o.kubelet.add(fs)
	fs.BoolVar(&o.insecureFile, flagInsecureFile, false, "believe the file of --pods, or a plan's, even if it is not root's or yours, or others may write to it or replace it")
}

// sources returns one source for each client that needs no store to be asked.
// Errors are usage errors.
func (o *clientOptions) sources(p process) ([]prune.Source, error) {
	var sources []prune.Source
	pods, err := o.kubelet.source(caller(p), o.insecureFile)
	if err != nil {
		return nil, err
	}
	if pods != nil {
		sources = append(sources, pods)
	}
	return sources, nil
}
