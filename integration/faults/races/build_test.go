package races

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/clients/buildkit"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// keptPattern matches the names of images that no run may remove, used or not.
const keptPattern = "kept-*"

// workshop is an actor that builds images, and what it builds them with. The
// actor's name is part of those of its images.
type workshop struct {
	*race
	actor, namespace string
	build            func(ctx context.Context, name string, files map[string]string) error
	// use puts an image to use that was just built.
	use func(ctx context.Context, name string) error
	// keeper says that images that no run may remove are among what it builds.
	keeper bool
}

// run builds an image, part of which is often in the cache, and uses some. The
// pruner may have been faster.
func (w *workshop) run(ctx context.Context) error {
	i := w.next()
	if w.keeper && i%2 == 0 {
		return w.keep(ctx, fmt.Sprintf("docker.io/library/kept-%s-%d:1", w.actor, i%3), i)
	}
	name := fmt.Sprintf("docker.io/library/built-%s-%d:1", w.actor, i%3)
	if err := w.make(ctx, name, i); err != nil || i%8 > 3 {
		return err
	}
	s := w.store(w.namespace)
	if _, err := s.Client.ImageService().Get(s.Context(ctx), name); errdefs.IsNotFound(err) {
		w.tally.note(w.actor, "pruned before it was used")
		return nil
	}
	return w.use(ctx, name)
}

// make builds one of a few variants, and others from time to time.
func (w *workshop) make(ctx context.Context, name string, i int64) error {
	i /= 2 // whether it is kept is not to say what it is made of
	files := map[string]string{
		"Dockerfile": fmt.Sprintf("FROM %s/base:%s\nCOPY data /data\nRUN [%q, \"exit\"]\n", w.registry.Host, tag(int(i%2)), cri.SleeperPath),
		"data":       fmt.Sprint("variant ", i/128, i%5),
	}
	if err := w.build(ctx, name, files); err != nil {
		w.cut.Store(record{w.namespace, name}, true)
		return fmt.Errorf("building %s: %w", name, err)
	}
	w.cut.Delete(record{w.namespace, name})
	w.tally.note(w.actor, "built")
	return nil
}

// contained is the use of an image by a container of containerd's.
func (w *workshop) contained(ctx context.Context, name string) error {
	s := w.store(w.namespace)
	rec, err := s.Client.ImageService().Get(s.Context(ctx), name)
	if err != nil {
		return unlessGone(ctx, s, name, err)
	}
	a, err := w.anatomy(ctx, s, rec.Target)
	if err != nil {
		return unlessGone(ctx, s, name, err)
	}
	return w.contain(ctx, w.actor, s, name, a)
}

// killBuilders ends all that build with SIGKILL and starts them again. The
// pruners need the Engine too, because it is asked what it uses.
func (r *race) killBuilders() {
	r.t.Helper()
	r.tally.outage("kills of those who build", &r.tally.builders, func() {
		r.engine.KillEngine()
		for _, b := range r.builders {
			b.KillBuilder()
		}
		r.engine.StartEngine()
		for _, b := range r.builders {
			b.StartBuilder()
		}
	})
}

// rest ends the builders, and the steps that a killed containerd or builder
// left to run: nobody waits for them. The Engine is started again, because it
// is asked what it uses.
func (r *race) rest() {
	r.t.Helper()
	for _, b := range r.builders {
		b.StopBuilder()
		b.UnmountBuilder()
		for _, id := range b.Steps() {
			b.RemoveStep(id)
			r.tally.note("verdict", "a step that its builder left")
		}
	}
	if r.engine != nil {
		r.engine.StopEngine()
		r.engine.StartEngine()
	}
}

// work lets the builders begin again.
func (r *race) work() {
	r.t.Helper()
	for _, b := range r.builders {
		b.StartBuilder()
	}
}

// buildkit is a workshop with a buildkitd of its own.
func (r *race) buildkit(actor, namespace string) *workshop {
	r.t.Helper()
	b := buildkit.On(r.t, r.n.Daemon, namespace)
	r.builders = append(r.builders, b)
	dir := r.t.TempDir()
	w := &workshop{race: r, actor: actor, namespace: namespace, keeper: true}
	w.use = w.contained
	w.build = func(ctx context.Context, name string, files map[string]string) error {
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				return err
			}
		}
		_, err := b.TryBuild(ctx, dir, name, "unpack=true")
		return err
	}
	return w
}
