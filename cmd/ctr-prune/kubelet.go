package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/kubelet"
)

// kubeletOptions say where the pods of this node are listed. The names after
// "pods" are kubectl's.
type kubeletOptions struct {
	flags   *pflag.FlagSet
	pods    string
	connect kubelet.Options
}

func (o *kubeletOptions) add(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.pods, "pods", "", "images that pods of this node need are in use too, also of pods that have no container yet: read them from `URL|FILE`, such as https://127.0.0.1:10250/pods or what kubectl get pods -o json wrote")
	fs.BoolVar(&o.connect.MayBeEmpty, "pods-may-be-empty", false, "believe an empty list of --pods, too, where no pod runs: this node may have none (a kubelet also gives one until it has heard of its pods)")
	fs.StringVar(&o.connect.TokenFile, "pods-token-file", "", "the bearer token for the URL of --pods is in this `FILE` (default that of the service account, if there is one)")
	fs.StringVar(&o.connect.CAFile, "pods-certificate-authority", "", "check the certificate of --pods against those in this `FILE` (default the system's and the cluster's)")
	fs.StringVar(&o.connect.CertFile, "pods-client-certificate", "", "show the certificate in this `FILE` to the URL of --pods")
	fs.StringVar(&o.connect.KeyFile, "pods-client-key", "", "the key of the client certificate is in this `FILE`")
	fs.BoolVar(&o.connect.Insecure, "pods-insecure-skip-tls-verify", false, "do not check the certificate of --pods")
}

// source returns the source of --pods, nil without it. A file is believed that
// is the owner's.
func (o *kubeletOptions) source(owner int, insecure bool) (prune.Source, error) {
	if !o.flags.Changed("pods") {
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
