package cluster

import (
	"context"
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
	for program, command := range map[string]*exec.Cmd{
		"kube-controller-manager": exec.Command(programs.Bin(parts.Controllers, "kube-controller-manager"),
			"--kubeconfig", user, "--leader-elect=false", "--bind-address", "127.0.0.1", "--cert-dir", dir,
			"--service-account-private-key-file", p.signing, "--root-ca-file", p.CA.CertFile),
		"kube-scheduler": exec.Command(programs.Bin(parts.Scheduler, "kube-scheduler"),
			"--kubeconfig", user, "--leader-elect=false", "--bind-address", "127.0.0.1", "--cert-dir", dir),
	} {
		// Nothing has to wait for them: what they are to do is done when they are there.
		service.Start(tb, program, filepath.Join(dir, program+".log"), func() *exec.Cmd { return command }, func(context.Context) error { return nil })
	}
	return p
}
