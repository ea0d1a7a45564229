package races

import (
	"context"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// unlessGone returns errGone if the record that failed to be used is not there
// any more, else the failure.
func unlessGone(ctx context.Context, s imagestore.Store, name string, failure error) error {
	_, err := s.Client.ImageService().Get(s.Context(ctx), name)
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", errGone, failure)
	}
	return failure
}

// runs creates a container right after the pull of its image, as `ctr run`
// does.
func (r *race) runs(ctx context.Context) error {
	s := r.store("default")
	img, name := r.pick(fmt.Sprintf("run-%d", r.next()))
	if err := r.pull(s.Context(ctx), s.Client, name); err != nil {
		return err
	}
	return r.contain(ctx, "run", s, name, of(img))
}

// contain creates a container of an image. When it is there its snapshots are,
// and stay; so does its image.
func (r *race) contain(ctx context.Context, actor string, s imagestore.Store, name string, a anatomy) error {
	nctx := s.Context(ctx)
	image, err := s.Client.GetImage(nctx, name)
	if err != nil {
		return unlessGone(ctx, s, name, err)
	}
	id := fmt.Sprintf("c%d", r.next())
	_, err = s.Client.NewContainer(nctx, id,
		containerd.WithImage(image), containerd.WithSnapshotter(s.Snapshotter), containerd.WithNewSnapshot(id, image),
		containerd.WithNewSpec(oci.WithProcessArgs(cri.SleeperPath)))
	if err != nil {
		return unlessGone(ctx, s, name, fmt.Errorf("creating a container: %w", err))
	}
	if err := r.rounds.await(ctx); err != nil {
		return err
	}
	s = r.store(s.Namespace)
	if err := r.whole(ctx, actor, s, id, name, a); err != nil {
		return err
	}
	r.removing.Store(id, true)
	container, err := s.Client.LoadContainer(s.Context(ctx), id)
	if err != nil {
		return err
	}
	return container.Delete(s.Context(ctx), containerd.WithSnapshotCleanup)
}

// tooLate is a container whose image was looked up before it was removed, and
// that was created after the run had looked again.
const tooLate = "created too late for its record"

// whole looks at a container that a run has seen.
func (r *race) whole(ctx context.Context, actor string, s imagestore.Store, id, name string, a anatomy) error {
	blobs, lost, err := a.lacks(ctx, s)
	if err != nil {
		return err
	}
	if _, err := s.Client.SnapshotService(s.Snapshotter).Stat(s.Context(ctx), id); errdefs.IsNotFound(err) {
		lost = append(lost, id)
	}
	if len(lost) > 0 {
		r.tally.lost("container %s of %s lost snapshots %v", id, name, lost)
	}
	_, err = s.Client.ImageService().Get(s.Context(ctx), name)
	if errdefs.IsNotFound(err) {
		r.tally.note(actor, tooLate)
		return nil
	}
	if err != nil || a.onlyLayers(blobs) {
		return err // its snapshots are all there, see notFetched
	}
	r.tally.lost("the image %s of container %s lost %v", name, id, blobs)
	return nil
}

// tags gives an image another name. Who looks it up and finds it gone when it
// has the new name was too late.
func (r *race) tags(ctx context.Context) error {
	s := r.store("default")
	img, name := r.pick("tagged")
	if err := r.pull(s.Context(ctx), s.Client, name); err != nil {
		return err
	}
	alias := fmt.Sprintf("docker.io/library/alias-%d:1", r.next()%8)
	if err := s.Tag(ctx, name, alias); errdefs.IsNotFound(err) {
		return errGone // the image, or the alias between creating and updating it
	} else if err != nil {
		return err
	}
	lost, err := missing(ctx, s, img.Digests()...)
	if err != nil || len(lost) == 0 {
		return err
	}
	rec, err := s.Client.ImageService().Get(s.Context(ctx), alias)
	if errdefs.IsNotFound(err) {
		return nil // it was pruned meanwhile
	}
	if err != nil {
		return err
	}
	target := rec.Target
	err = s.Client.ImageService().Delete(s.Context(ctx), alias, images.DeleteTarget(&target))
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return errGone
}
