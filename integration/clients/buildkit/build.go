package buildkit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Step is one vertex of a build.
type Step struct {
	Name   string
	Cached bool
}

// Build builds the folder and exports the image under a name, as `buildctl
// build` does, and returns the steps.
func (b *Builder) Build(dir, name string, attrs ...string) []Step {
	b.tb.Helper()
	steps, err := b.TryBuild(b.tb.Context(), dir, name, attrs...)
	if err != nil {
		b.tb.Fatalf("building %s: %v", name, err)
	}
	return steps
}

// TryBuild is Build for use in another goroutine than the test's.
func (b *Builder) TryBuild(ctx context.Context, dir, name string, attrs ...string) ([]Step, error) {
	return b.build(ctx, func(string) {}, dir, name, attrs...)
}

// build builds, and tells what the programs of the steps print when they do.
func (b *Builder) build(ctx context.Context, printed func(string), dir, name string, attrs ...string) ([]Step, error) {
	output := "type=image,name=" + name
	for _, attr := range attrs {
		output += "," + attr
	}
	var said bytes.Buffer
	cmd := b.ctl(ctx, "build", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir,
		"--output", output, "--progress", "rawjson")
	status, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	steps, err := readSteps(io.TeeReader(status, &said), printed)
	if err != nil { // what is no state is why the build failed
		_, _ = io.Copy(&said, status)
	}
	if err := cmp.Or(cmd.Wait(), err); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, words(said.Bytes()))
	}
	return steps, nil
}

// words are the lines that are no state of a build.
func words(said []byte) []byte {
	lines := slices.DeleteFunc(bytes.Split(said, []byte("\n")), func(line []byte) bool { return bytes.HasPrefix(line, []byte("{")) })
	return bytes.Join(lines, []byte("\n"))
}

// readSteps reads the stream of states of a build: the last state of each
// vertex is how it ended.
func readSteps(status io.Reader, printed func(string)) ([]Step, error) {
	var order []string
	last := make(map[string]Step)
	dec := json.NewDecoder(status)
	for {
		var state struct {
			Vertexes []struct {
				Digest, Name string
				Cached       bool
			}
			Logs []struct{ Data []byte }
		}
		if err := dec.Decode(&state); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for _, v := range state.Vertexes {
			if _, seen := last[v.Digest]; !seen {
				order = append(order, v.Digest)
			}
			last[v.Digest] = Step{v.Name, v.Cached}
		}
		for _, l := range state.Logs {
			printed(string(l.Data))
		}
	}
	steps := make([]Step, len(order))
	for i, digest := range order {
		steps[i] = last[digest]
	}
	return steps, nil
}
