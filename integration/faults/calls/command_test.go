package calls

import (
	"context"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/integration/bed/proxy"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
)

// start starts the command for both namespaces by way of a socket.
func (b *bed) start(address string) *pruning.Process {
	b.t.Helper()
	return pruning.Start(b.t, b.program, "--address", address, "--all", "-n", "default", "-n", "other", "--force", "--format", "json")
}

// through starts the command by way of a proxy with a gate. act gets the
// process as well, which there is before the first call.
func (b *bed) through(act func(context.Context, proxy.Call, *pruning.Process)) (*pruning.Process, *proxy.Proxy) {
	b.t.Helper()
	socket := filepath.Join(b.d.Dir(), "p.sock")
	var r *pruning.Process
	started := make(chan struct{})
	p := proxy.Start(b.t, b.d.Address(), socket, func(ctx context.Context, call proxy.Call) {
		<-started
		act(ctx, call, r)
	})
	r = b.start(socket)
	close(started)
	return r, p
}
