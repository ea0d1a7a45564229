package buildkit

import (
	"bufio"
	"context"
	"strings"
	"time"
)

// settleTime bounds the wait for the traces of finished builds.
const settleTime = 5 * time.Minute

// Settle waits until buildkit has put the trace of each finished build into
// its history, which it does some seconds after the build, with new blobs and
// a lease. A build that was cut off may never get one.
func (b *Builder) Settle() {
	b.tb.Helper()
	bare := make(map[string]bool)
	for _, ref := range strings.Fields(b.Ctl("debug", "histories", "--format",
		"{{if and .Record.CompletedAt (not .Record.Trace)}}{{.Record.Ref}}{{end}}")) {
		bare[ref] = true
	}
	if len(bare) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.tb.Context()), settleTime)
	defer cancel()
	if err := b.traced(ctx, bare); err != nil {
		b.tb.Fatalf("waiting for buildkit's history: %v", err)
	}
	if len(bare) > 0 {
		b.tb.Fatalf("buildkit's history has no trace of the builds %v", bare)
	}
}

// traced follows the history, of which buildctl tells first what it has and
// then what changes, and takes away the builds whose traces come.
func (b *Builder) traced(ctx context.Context, bare map[string]bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := b.ctl(ctx, "debug", "monitor", "--completed")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ref := ""
	for lines := bufio.NewScanner(out); len(bare) > 0 && lines.Scan(); {
		if _, of, ok := strings.Cut(lines.Text(), " ref:"); ok {
			ref = of
		}
		if strings.HasPrefix(lines.Text(), "  trace: ") {
			delete(bare, ref)
		}
	}
	cancel()
	_ = cmd.Wait() // it follows until it is killed
	return nil
}
