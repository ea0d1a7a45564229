package races

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

// docker is a workshop of an Engine: `docker build`, with BuildKit or with the
// first builder, and `docker run`.
func (r *race) docker(actor string, version build.BuilderVersion) *workshop {
	w := &workshop{race: r, actor: actor, namespace: docker.Namespace, keeper: version == build.BuilderBuildKit}
	w.use = w.dockerRun
	w.build = func(ctx context.Context, name string, files map[string]string) error {
		err := r.engine.TryBuild(ctx, version, name, files)
		if version == build.BuilderV1 && err != nil && missingStep(err) {
			return fmt.Errorf("%w: %w", errStep, err)
		}
		return err
	}
	return w
}

// errStep is the first builder that looks for the image of the step before, or
// the base that it has pulled for the first one. It holds them by nothing but
// their records: any removal of unused images takes them.
var errStep = errors.New("the image of the step before is gone")

// missingStep says whether the first builder says so: what it says depends on
// how far it had come.
func missingStep(err error) bool {
	return slices.ContainsFunc([]string{"No such image: ", "unable to find image ", "NotFound: content digest "}, func(text string) bool {
		return strings.Contains(err.Error(), text)
	})
}

// errGlance is a pull by Docker of an image that it looked for in the store
// before it held any of it, at the moment when a collection took that away.
var errGlance = errors.New("it looked at what it did not hold yet")

// dockerPull pulls an image that nobody uses.
func (r *race) dockerPull(ctx context.Context) error {
	_, name := r.pick("docker-pulled")
	answer, err := r.engine.API.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("pulling: %w", err)
	}
	defer answer.Close()
	err = answer.Wait(ctx)
	if err != nil && strings.Contains(err.Error(), "failed to check image") && strings.Contains(err.Error(), "NotFound") {
		return fmt.Errorf("%w: %w", errGlance, err)
	}
	return err
}

// dockerRun makes a container of an image. Once it is there it can be started
// and committed, whatever was pruned meanwhile.
func (w *workshop) dockerRun(ctx context.Context, image string) error {
	api, name := w.engine.API, fmt.Sprintf("container-%d", w.next())
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:       name,
		Config:     &container.Config{Image: image, Cmd: []string{cri.SleeperPath}},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		return unlessGone(ctx, w.store(w.namespace), image, fmt.Errorf("creating a container: %w", err))
	}
	if err := w.rounds.await(ctx); err != nil {
		return err
	}
	if _, err := api.ContainerStart(ctx, made.ID, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	if err := w.commit(ctx, made.ID); err != nil {
		return err
	}
	_, err = api.ContainerRemove(ctx, made.ID, client.ContainerRemoveOptions{Force: true})
	return err
}

// commit commits a container that is in use for long enough that its image is
// there, unless it came too late for that.
func (w *workshop) commit(ctx context.Context, id string) error {
	api := w.engine.API
	found, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("inspecting the container: %w", err)
	}
	if _, err := api.ImageInspect(ctx, found.Container.Image); errdefs.IsNotFound(err) {
		w.tally.note(w.actor, tooLate)
		return nil
	} else if err != nil {
		return fmt.Errorf("inspecting the image of the container: %w", err)
	}
	reference := fmt.Sprintf("docker.io/library/commit-%d:1", w.next()%3)
	if _, err := api.ContainerCommit(ctx, id, client.ContainerCommitOptions{Reference: reference}); err != nil {
		return fmt.Errorf("committing the container: %w", err)
	}
	return nil
}

// Real builds, of two buildkitd and of a Docker Engine with both its builders.
func TestBuildRaces(t *testing.T) {
	r := newRace(t, parts.Containerd24, programs.Build(t), "default", "buildkit", docker.Namespace)
	r.engine = docker.On(t, r.n.Daemon)
	actors := map[string]actor{
		"prune (library)": r.library.run, "prune (command)": r.pruneCommand,
		"pull": r.pulls, "run": r.runs, "watch": r.watch, "kept": r.keeps, "docker-pull": r.dockerPull,
	}
	r.tally.needy = map[string]bool{"prune (library)": true, "prune (command)": true, "docker-pull": true}
	for _, w := range []*workshop{
		r.buildkit("buildkit", "buildkit"), r.buildkit("buildkit-default", "default"),
		r.docker("docker-build", build.BuilderBuildKit), r.docker("docker-build-v1", build.BuilderV1),
	} {
		actors[w.actor] = w.run
		r.tally.needy[w.actor] = true
	}
	r.run(actors)
}
