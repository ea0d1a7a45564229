package buildkit

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A build that runs while its namespace is pruned ends well: its containers
// name no image, and what it has made so far only leases hold.
func TestBuildUnderWay(t *testing.T) {
	b := Start(t, "buildkit")
	done := rootfs(t, "exit")
	b.Build(done, "example.com/unused:1")
	dir := rootfs(t, "wait")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	id, ended := b.begin(ctx, dir)
	report := checked(t, b, pruning.All("buildkit"))
	if len(report.Untagged) != 1 {
		t.Errorf("untagged %v, want the image of the other build", report.Untagged)
	}
	b.endStep(id)
	if err := <-ended; err != nil {
		t.Fatalf("the build that was under way: %v", err)
	}
	if diff := cmp.Diff([]string{image}, b.images()); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if got := fresh(b.Build(dir, image)); len(got) != 0 {
		t.Errorf("the build after the prune ran %q again", got)
	}
}

// A builder that was killed has left leases of every kind, and a container
// that names no image. Nobody but itself may touch them.
func TestLeavingsOfKilledBuilder(t *testing.T) {
	b := Start(t, "buildkit")
	b.Build(rootfs(t, "exit"), "example.com/unused:1")
	dir := rootfs(t, "wait")
	id, ended := b.begin(t.Context(), dir)
	b.KillBuilder()
	if err := <-ended; err == nil {
		t.Error("the build ended well although its builder was killed")
	}
	before := b.Capture()
	kinds := make(map[leases.Kind]bool)
	for _, lease := range before.Namespaces["buildkit"].Leases {
		kinds[leases.KindOf(lease.Lease)] = true
	}
	if !kinds[leases.KindCache] || !kinds[leases.KindBuild] && !kinds[leases.KindView] {
		t.Fatalf("the builder left leases of the kinds %v, want those of cache and builds", kinds)
	}
	report := pruning.Run(t, b.Address(), pruning.All("buildkit"), pruning.None, nil)
	if len(report.Untagged) != 1 {
		t.Errorf("untagged %v, want the image of the other build", report.Untagged)
	}
	if notes := prune.ReportDocument(report).Notes; len(notes) > 0 {
		t.Errorf("noted: %v", notes)
	}
	after := b.Capture()
	same(t, before, after, func(change string) bool {
		return strings.Contains(change, " lease ") || strings.HasPrefix(change, "buildkit_history ")
	})
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		t.Error(err)
	}
	b.RemoveStep(id)
	b.service.Up(b.ready)
	write(t, dir, "Dockerfile", "FROM scratch\nCOPY program /program\nCOPY data /data\n")
	if got := fresh(b.Build(dir, image)); len(got) != 0 {
		t.Errorf("the next builder ran %q again", got)
	}
}

// begin begins a build with a step that waits, and returns the container of the
// step when it does. The channel gets how the build ends.
func (b *Builder) begin(ctx context.Context, dir string) (id string, ended <-chan error) {
	b.tb.Helper()
	end, waiting := make(chan error, 1), make(chan struct{})
	says := sync.OnceFunc(func() { close(waiting) })
	printed := func(text string) {
		if strings.Contains(text, "waiting") {
			says()
		}
	}
	go func() {
		_, err := b.build(ctx, printed, dir, image)
		end <- err
	}()
	select {
	case <-waiting:
	case err := <-end:
		b.tb.Fatalf("the build ended before its step waited: %v", err)
	case <-time.After(5 * time.Minute):
		b.tb.Fatal("no step of the build came to run")
	}
	steps := b.Steps()
	if len(steps) != 1 {
		b.tb.Fatalf("the containers of steps are %q, want one", steps)
	}
	return steps[0], end
}

// endStep tells the program of a step that waits to end.
func (b *Builder) endStep(id string) {
	b.tb.Helper()
	s := b.Store(b.Namespace)
	ctx := s.Context(b.tb.Context())
	c, err := s.Client.LoadContainer(ctx, id)
	if err != nil {
		b.tb.Fatal(err)
	}
	task, err := c.Task(ctx, nil)
	if err != nil {
		b.tb.Fatal(err)
	}
	if err := task.Kill(ctx, syscall.SIGINT); err != nil {
		b.tb.Fatalf("ending the step: %v", err)
	}
}
