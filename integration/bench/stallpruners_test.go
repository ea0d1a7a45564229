package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/client"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

// pruner is something in whose time others work.
type pruner struct {
	name string
	// prepare starts what the pruner needs on the store, and returns what prunes.
	prepare func(t *testing.T, s *stallStore) func() error
}

// stallWorld is where the images are that go, with those that compete there.
type stallWorld struct {
	namespace string
	options   func(testing.TB) daemon.Options
	pruners   []pruner
	// kept is how many images of another namespace stay.
	kept int
}

// The rows that goals are about.
const (
	besideNothing = "nothing"
	besideEmpty   = "one empty collection"
	besideOurs    = "`ctr-prune -a -f`"
	besideAtOnce  = "`ctr-prune -a -f --max-stall 0`"
	besideDeletes = "`ctr-prune -a -f --grace 1h`, which only deletes"
	besideFloor   = "plain deletions, the last one synchronous"
)

// stallWorlds are those that are compared. `ctr` and the least that a client has to
// do make one collection, the other two one for each image.
var stallWorlds = []stallWorld{
	{namespace: "default", options: plainOptions, pruners: []pruner{
		{besideNothing, simply(func(*stallStore) error { return doNothing() })},
		{besideEmpty, simply(func(s *stallStore) error { return s.store.Collect(s.t.Context()) })},
		{besideOurs, simply(func(s *stallStore) error { return s.prune() })},
		{besideAtOnce, simply(func(s *stallStore) error { return s.prune("--max-stall", "0") })},
		{besideDeletes, simply(func(s *stallStore) error { return s.prune("--grace", "1h") })},
		{besideFloor, simply(func(s *stallStore) error { return s.command(s.p.helper, "floor", s.d.Address()) })},
		{"`ctr images prune --all`", simply(func(s *stallStore) error {
			return s.command(s.d.Ctr(), "-a", s.d.Address(), "images", "prune", "--all")
		})},
	}},
	{namespace: cri.Namespace, options: func(tb testing.TB) daemon.Options { return cri.Options(tb, parts.Containerd24) }, pruners: []pruner{
		{"CRI calls of `crictl rmi --prune`", removesByCRI},
	}},
	{namespace: docker.Namespace, options: func(tb testing.TB) daemon.Options {
		o := cri.Options(tb, parts.Containerd24)
		o.CRI = false
		return o
	}, pruners: []pruner{
		{"`docker image prune -a` (the Engine's API)", prunesByEngine},
	}},
}

// largeWorld has so much that stays that a collection takes longer than it should
// before it has removed anything.
func largeWorld(kept int) stallWorld {
	return stallWorld{namespace: "default", options: plainOptions, kept: kept, pruners: []pruner{
		{besideEmpty, simply(func(s *stallStore) error { return s.store.Collect(s.t.Context()) })},
		{besideOurs, simply(func(s *stallStore) error { return s.prune() })},
		{besideAtOnce, simply(func(s *stallStore) error { return s.prune("--max-stall", "0") })},
	}}
}

func plainOptions(testing.TB) daemon.Options { return daemon.Options{Version: parts.Containerd24} }

// simply needs nothing else.
func simply(run func(s *stallStore) error) func(*testing.T, *stallStore) func() error {
	return func(_ *testing.T, s *stallStore) func() error { return func() error { return run(s) } }
}

// doNothing leaves the others alone for a while.
func doNothing() error {
	if *out != "" {
		time.Sleep(idle)
	}
	return nil
}

func (s *stallStore) prune(args ...string) error {
	return s.command(s.p.prune, append([]string{"--address", s.d.Address(), "-a", "-f", "-q"}, args...)...)
}

func removesByCRI(t *testing.T, s *stallStore) func() error {
	node := cri.On(t, s.d)
	node.Settle()
	return func() error {
		list, err := node.Images.ListImages(t.Context(), &runtime.ListImagesRequest{})
		if err != nil {
			return err
		}
		for _, image := range list.GetImages() {
			if image.GetPinned() {
				continue
			}
			_, err := node.Images.RemoveImage(t.Context(), &runtime.RemoveImageRequest{Image: &runtime.ImageSpec{Image: image.GetId()}})
			if err != nil {
				return fmt.Errorf("removing %s: %w", image.GetId(), err)
			}
		}
		return nil
	}
}

func prunesByEngine(t *testing.T, s *stallStore) func() error {
	engine := docker.On(t, s.d)
	return func() error {
		_, err := engine.API.ImagePrune(t.Context(), client.ImagePruneOptions{Filters: make(client.Filters).Add("dangling", "false")})
		return err
	}
}
