package races

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/registry"
	"github.com/ctr-prune/ctr-prune/integration/clients/buildkit"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

// race is a node on which everything happens at once.
type race struct {
	t        *testing.T
	n        *cri.Node
	program  string
	registry *registry.Registry
	// namespaces are those that are pruned.
	namespaces []string
	// engine and builders are nil in a race without real builds.
	engine   *docker.Engine
	builders []*buildkit.Builder
	images   []*imagestore.Image
	byTarget map[digest.Digest]*imagestore.Image

	// client is that of the daemon that runs now.
	client  atomic.Pointer[containerd.Client]
	library *pruner
	serial  atomic.Int64
	// removing are the IDs of containers whose removal has begun: its snapshot
	// goes first, and a restart can cut the removal off.
	removing sync.Map
	// kept are the images that no run may remove, see keep; cut are the names
	// of those whose last build did not end well.
	kept, cut sync.Map
	tally     tally
	// turn counts the outages in the midst of legs.
	turn   int
	rounds rounds
}

// newRace starts a node and a registry with images that share a base.
func newRace(t *testing.T, version parts.Part, program string, namespaces ...string) *race {
	t.Helper()
	r := &race{
		t: t, n: cri.Start(t, version), program: program, namespaces: namespaces,
		byTarget: make(map[digest.Digest]*imagestore.Image),
	}
	r.library = &pruner{race: r}
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

// actor does one thing once.
type actor func(context.Context) error

// everybody are all actors but the builders, by their names.
func (r *race) everybody() map[string]actor {
	return map[string]actor{
		"prune (library)": r.library.run, "prune (command)": r.pruneCommand,
		"pull": r.pulls, "pull 2": r.pulls, "import": r.imports, "build": r.imitates, "tag": r.tags,
		"run": r.runs, "run 2": r.runs, "lease": r.leases, "pod": (&pods{race: r}).run, "watch": r.watch,
	}
}

func TestRaces(t *testing.T) {
	program := programs.Build(t)
	for _, v := range []parts.Part{parts.Containerd24, parts.Containerd17} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			// containerd's default, one of a builder, and that of Kubernetes.
			r := newRace(t, v, program, "default", "build", cri.Namespace)
			r.run(r.everybody())
		})
	}
}
