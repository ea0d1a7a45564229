package calls

import (
	"context"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/proxy"
)

// start starts the command for both namespaces by way of a socket.
func (b *bed) start(address string) *programs.Process {
	b.t.Helper()
	return programs.Start(b.t, b.program, "--address", address, "--all", "-n", "default", "-n", "other", "--force", "--format", "json")
}

// through starts the command by way of a proxy with a gate. act gets the
// process as well, which there is before the first call.
func (b *bed) through(act func(context.Context, proxy.Call, *programs.Process)) (*programs.Process, *proxy.Proxy) {
	b.t.Helper()
	socket := filepath.Join(b.d.Dir(), "p.sock")
	var r *programs.Process
	started := make(chan struct{})
	p := proxy.Start(b.t, b.d.Address(), socket, func(ctx context.Context, call proxy.Call) {
		<-started
		act(ctx, call, r)
	})
	r = b.start(socket)
	close(started)
	return r, p
}
