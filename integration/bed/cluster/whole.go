package cluster

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
)

// StartWhole starts a control plane as a cluster has it, with controllers and a scheduler.
// Its API server is at the first address of the network of services, which this machine has to
// have: nothing here leads from the address of a service to where it is. Both others listen at
// their usual ports, so that the machine has to be the test's own.
func StartWhole(tb testing.TB, dir string, services *net.IPNet) *Plane {
	tb.Helper()
	p := start(tb, dir, services)
	programs := Programs(tb, parts.Controllers, parts.Scheduler)
	user := p.CA.Kubeconfig(p.URL, "controllers", "system:masters")
	flags := []string{"--kubeconfig", user, "--leader-elect=false", "--bind-address", "127.0.0.1", "--cert-dir", dir}
	service.Start(tb, "kube-controller-manager", filepath.Join(dir, "controllers.log"), func() *exec.Cmd {
		return exec.Command(programs.Bin(parts.Controllers, "kube-controller-manager"),
			append(flags, "--service-account-private-key-file", p.signing, "--root-ca-file", p.CA.CertFile)...)
	}, p.accounts)
	service.Start(tb, "kube-scheduler", filepath.Join(dir, "scheduler.log"), func() *exec.Cmd {
		return exec.Command(programs.Bin(parts.Scheduler, "kube-scheduler"), flags...)
	}, func(context.Context) error { return nil }) // pods wait for it
	return p
}

// accounts says whether the controllers have made those of pods that name none, without which no
// pod can be created.
func (p *Plane) accounts(ctx context.Context) error {
	return errors.Join(answers(ctx, p.admin, p.URL+"/api/v1/namespaces/default/serviceaccounts/default"),
		answers(ctx, p.admin, p.URL+"/api/v1/namespaces/kube-system/serviceaccounts/default"))
}
