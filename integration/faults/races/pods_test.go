package races

import (
	"context"
	"fmt"
	"time"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// pods runs containers of pods, one after another, as a kubelet does.
type pods struct {
	*race
	pod *cri.Pod
}

// run lets CRI pull an image and run a container of it. It starts, and its
// image stays.
func (p *pods) run(ctx context.Context) error {
	if p.pod == nil || p.next()%5 == 0 {
		pod, err := p.n.TryPod(context.WithoutCancel(ctx), fmt.Sprintf("pod-%d", p.next()))
		if err != nil {
			return fmt.Errorf("running a pod: %w", err)
		}
		p.pod = pod
	}
	img, name := p.pick("pod")
	id := img.Config.Desc.Digest.String()
	if _, err := p.n.Images.PullImage(ctx, &runtime.PullImageRequest{Image: &runtime.ImageSpec{Image: name}}); err != nil {
		return fmt.Errorf("pulling for a pod: %w", err)
	}
	container, err := p.pod.TryCreate(cri.Container{Name: fmt.Sprintf("c%d", p.next()), Image: name, Exits: true})
	if err != nil {
		if known, serr := p.n.Status(ctx, name); serr == nil && known == nil {
			return errGone
		}
		return fmt.Errorf("creating a container of a pod: %w", err)
	}
	if _, err := p.n.Runtime.StartContainer(ctx, &runtime.StartContainerRequest{ContainerId: container}); err != nil {
		return fmt.Errorf("starting a container of a pod: %w", err)
	}
	if err := p.rounds.await(ctx); err != nil {
		return err
	}
	known, err := p.n.Status(ctx, id)
	if err != nil {
		return err
	}
	if known == nil {
		p.tally.note("pod", "created too late for its record")
	}
	if err := p.exited(ctx, container); err != nil {
		return err
	}
	p.removing.Store(container, true)
	_, err = p.n.Runtime.RemoveContainer(ctx, &runtime.RemoveContainerRequest{ContainerId: container})
	return err
}

// exited waits until CRI knows that a container has ended.
func (p *pods) exited(ctx context.Context, container string) error {
	for {
		answer, err := p.n.Runtime.ContainerStatus(ctx, &runtime.ContainerStatusRequest{ContainerId: container})
		if err != nil || answer.GetStatus().GetState() == runtime.ContainerState_CONTAINER_EXITED {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
