package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// ProgramPath is the program in every image that [Engine.Image] makes.
const ProgramPath = "/bin/true"

// Image makes a runnable image that differs from all others and loads it
// under names, as `docker load` does.
func (e *Engine) Image(names ...string) *imagestore.Image {
	e.tb.Helper()
	if e.builder == nil {
		e.builder = imagestore.New(4)
		e.base = e.builder.Program(imagestore.Spec{}, ProgramPath, e.Program)
	}
	img := e.builder.Image(imagestore.Spec{Base: e.base, Layers: 1, LayerBytes: 8 << 10})
	e.Load(img, names...)
	return img
}

// Load loads an image under names.
func (e *Engine) Load(img *imagestore.Image, names ...string) {
	e.tb.Helper()
	var archive bytes.Buffer
	if err := img.Archive(&archive, names...); err != nil {
		e.tb.Fatal(err)
	}
	answer, err := e.API.ImageLoad(e.tb.Context(), &archive)
	if err != nil {
		e.tb.Fatalf("loading %q: %v", names, err)
	}
	defer answer.Close()
	if err := finish(answer); err != nil {
		e.tb.Fatalf("loading %q: %v", names, err)
	}
}

// Import makes an image of the program alone, as `docker import` does.
func (e *Engine) Import(name string) {
	e.tb.Helper()
	files, err := archive(map[string]string{strings.TrimPrefix(ProgramPath, "/"): string(e.Program)})
	if err != nil {
		e.tb.Fatal(err)
	}
	answer, err := e.API.ImageImport(e.tb.Context(), client.ImageImportSource{Source: files, SourceName: "-"}, name,
		client.ImageImportOptions{Changes: []string{"CMD [\"" + ProgramPath + "\"]"}})
	if err != nil {
		e.tb.Fatalf("importing %s: %v", name, err)
	}
	defer answer.Close()
	if err := finish(answer); err != nil {
		e.tb.Fatalf("importing %s: %v", name, err)
	}
}

// Tag gives an image a further name, or moves the name to it.
func (e *Engine) Tag(image, name string) {
	e.tb.Helper()
	if _, err := e.API.ImageTag(e.tb.Context(), client.ImageTagOptions{Source: image, Target: name}); err != nil {
		e.tb.Fatalf("tagging %s as %s: %v", image, name, err)
	}
}

// Untag removes a name, by force or not.
func (e *Engine) Untag(name string, force bool) {
	e.tb.Helper()
	if _, err := e.API.ImageRemove(e.tb.Context(), name, client.ImageRemoveOptions{Force: force}); err != nil {
		e.tb.Fatalf("removing %s: %v", name, err)
	}
}

// Build builds files, among them a Dockerfile, into an image of that name,
// with BuildKit or with the first builder.
func (e *Engine) Build(version build.BuilderVersion, name string, files map[string]string) {
	e.tb.Helper()
	if err := e.TryBuild(e.tb.Context(), version, name, files); err != nil {
		e.tb.Fatalf("building %s: %v", name, err)
	}
}

// TryBuild is Build for use in another goroutine than the test's.
func (e *Engine) TryBuild(ctx context.Context, version build.BuilderVersion, name string, files map[string]string) error {
	dir, err := archive(files)
	if err != nil {
		return err
	}
	answer, err := e.API.ImageBuild(ctx, dir, client.ImageBuildOptions{
		Version: version, Tags: []string{name}, Remove: true, NetworkMode: "none",
	})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return finish(answer.Body)
}

// archive packs what is to be built as `docker build` sends it.
func archive(files map[string]string) (io.Reader, error) {
	var dir bytes.Buffer
	tw := tar.NewWriter(&dir)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o755, Size: int64(len(files[path]))}
		if err := tw.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(tw, files[path]); err != nil {
			return nil, err
		}
	}
	return &dir, tw.Close()
}

// finish reads a stream of messages to its end and returns the error that is
// among them.
func finish(stream io.Reader) error {
	dec := json.NewDecoder(stream)
	for {
		var message struct{ Error string }
		if err := dec.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if message.Error != "" {
			return errors.New(message.Error)
		}
	}
}

// Names lists the names of all images, sorted, and "<none>" for each that has
// none, as the Engine sees them.
func (e *Engine) Names() []string {
	e.tb.Helper()
	list, err := e.API.ImageList(e.tb.Context(), client.ImageListOptions{})
	if err != nil {
		e.tb.Fatalf("listing images: %v", err)
	}
	var names []string
	for _, i := range list.Items {
		if len(i.RepoTags) == 0 {
			names = append(names, "<none>")
		}
		names = append(names, i.RepoTags...)
	}
	slices.Sort(names)
	return names
}

// Records lists the names of all records in the Engine's namespace, sorted,
// each without the default registry.
func (e *Engine) Records() []string {
	e.tb.Helper()
	s := e.Store(Namespace)
	list, err := s.Client.ImageService().List(s.Context(e.tb.Context()))
	if err != nil {
		e.tb.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, strings.TrimPrefix(i.Name, "docker.io/library/"))
	}
	slices.Sort(names)
	return names
}
