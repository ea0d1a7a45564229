package races

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/cri"
	"github.com/ctr-prune/ctr-prune/integration/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/parts"
	"github.com/ctr-prune/ctr-prune/integration/pruning"
	"github.com/ctr-prune/ctr-prune/integration/registry"
)

// The namespaces of the race: containerd's default, one of a builder, and that
// of Kubernetes.
var namespaces = []string{"default", "build", cri.Namespace}

// race is a node on which everything happens at once.
type race struct {
	t        *testing.T
	n        *cri.Node
	program  string
	registry *registry.Registry
	images   []*imagestore.Image
	byTarget map[digest.Digest]*imagestore.Image

	// client is that of the daemon that runs now.
	client atomic.Pointer[containerd.Client]
	actors sync.WaitGroup
	serial atomic.Int64
	// removing are the IDs of containers whose removal has begun: its snapshot
	// goes first, and a restart can cut the removal off.
	removing sync.Map
	tally    tally
	rounds   rounds
}

// newRace starts a node and a registry with images that share a base.
func newRace(t *testing.T, version parts.Part, program string) *race {
	t.Helper()
	r := &race{t: t, n: cri.Start(t, version), program: program, byTarget: make(map[digest.Digest]*imagestore.Image)}
	tags := make(map[string]*imagestore.Image)
	for i := range 8 {
		img := r.n.Image()
		r.images = append(r.images, img)
		r.byTarget[img.Target.Digest] = img
		tags[tag(i)] = img
	}
	r.byTarget[r.n.Base.Target.Digest] = r.n.Base
	r.registry = registry.Start(t, tags)
	r.connect()
	r.tally.init()
	r.rounds.init()
	for _, ns := range namespaces { // or there would be nothing to prune there
		if err := r.store(ns).Add(t.Context(), r.images[0], "docker.io/library/first:1"); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func tag(i int) string { return fmt.Sprintf("v%d", i) }

// connect takes a new client: an old one of a restarted daemon waits before it
// dials again.
func (r *race) connect() { r.client.Store(r.n.Client("default")) }

// store is a namespace by way of the client of now.
func (r *race) store(namespace string) imagestore.Store {
	return imagestore.Store{Client: r.client.Load(), Namespace: namespace, Snapshotter: r.n.Snapshotter()}
}

// next is a number that nobody had.
func (r *race) next() int64 { return r.serial.Add(1) }

// pick is one of the images and the name that an actor pulls it by. Nobody
// else has a record of this name.
func (r *race) pick(actor string) (*imagestore.Image, string) {
	i := int(r.next()) % len(r.images)
	return r.images[i], fmt.Sprintf("%s/%s:%s", r.registry.Host, actor, tag(i))
}

// act lets an actor do the same again and again until ctx ends.
func (r *race) act(ctx context.Context, name string, do func(context.Context) error) {
	r.actors.Go(func() {
		for ctx.Err() == nil {
			r.tally.try(ctx, name, do)
		}
	})
}

// last is how long the race goes on, and between two restarts of the daemon.
func (r *race) last() (all, restart time.Duration) {
	r.t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 8 * time.Second, 5 * time.Second
	}
	all, err := time.ParseDuration(text)
	if err != nil {
		r.t.Fatalf("SOAK: %v", err)
	}
	return all, 20 * time.Second
}

// grace is how much longer a race goes on for actors that have done nothing
// yet, on a machine with other things to do.
const grace = 2 * time.Minute

// run lets all actors loose until the time is over and each has done something,
// and restarts the daemon under them.
func (r *race) run() {
	r.t.Helper()
	all, restart := r.last()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	library := &pruner{race: r}
	everybody := r.everybody()
	everybody["prune (library)"] = library.run
	for name, do := range everybody {
		r.act(ctx, name, do)
	}
	start := time.Now()
	restarts, look := time.NewTicker(restart), time.NewTicker(all/20)
	defer restarts.Stop()
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-restarts.C:
			if time.Since(start) < all {
				r.tally.outage(func() { r.n.Restart(); r.n.Ready(); r.connect() })
			}
		case <-look.C:
			took := time.Since(start)
			over = took > all && (r.tally.everybody(everybody) || took > all+grace)
		}
	}
	cancel()
	r.rounds.stop()
	r.actors.Wait()
	if err := library.end(); err != nil {
		r.t.Errorf("the pruning process: %v", err)
	}
}

// everybody are the actors beside the library by their names.
func (r *race) everybody() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"prune (command)": r.pruneCommand,
		"pull":            r.pulls, "pull 2": r.pulls, "import": r.imports, "build": r.builds, "tag": r.tags,
		"run": r.runs, "run 2": r.runs, "lease": r.leases, "pod": (&pods{race: r}).run, "watch": r.watch,
	}
}

func TestRaces(t *testing.T) {
	program := pruning.Command(t)
	for _, v := range []parts.Part{parts.Containerd24, parts.Containerd17} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			r := newRace(t, v, program)
			r.run()
			r.tally.report(t)
			r.verdict()
		})
	}
}
