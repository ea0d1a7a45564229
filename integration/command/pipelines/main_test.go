package pipelines_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// binary is the command under test.
var binary string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&binary: programs.Command}))
}

const deploy = "../../../deploy/"

// host is a machine that runs jobs: a containerd, and programs on the path.
type host struct {
	*testing.T
	daemon *daemon.Daemon
	sample *imagestore.Sample
	// bin are programs that jobs find, and work is where they run.
	bin, work string
	env       map[string]string
}

func newHost(t *testing.T) *host {
	t.Helper()
	t.Parallel()
	h := &host{T: t, daemon: daemon.Start(t, daemon.Options{Version: parts.Containerd24, NoSync: true}), sample: imagestore.New(1).Sample(), bin: t.TempDir(), work: t.TempDir()}
	store := h.daemon.Store("default")
	h.must(store.AddSample(t.Context(), h.sample), store.UseSample(t.Context(), h.sample), store.Collect(t.Context()))
	h.env = map[string]string{"PATH": h.bin + ":" + os.Getenv("PATH"), "HOME": h.work, "CONTAINERD_ADDRESS": h.daemon.Address()}
	return h
}

func (h *host) must(errs ...error) {
	h.Helper()
	if err := errors.Join(errs...); err != nil {
		h.Fatal(err)
	}
}

// installed puts ctr-prune on the path.
func (h *host) installed() *host {
	h.Helper()
	h.must(os.Symlink(binary, filepath.Join(h.bin, "ctr-prune")))
	h.program("sudo", `[ "$1" = --non-interactive ] || exit 1; shift; exec "$@"`)
	return h
}

// program puts a program of the test on the path.
func (h *host) program(name, script string) {
	h.Helper()
	h.must(os.WriteFile(filepath.Join(h.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// run runs a script as a shell of a runner does, and returns what it printed and its
// exit code.
func (h *host) run(shell []string, script string) (said string, code int) {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), shell[0], append(shell[1:], script)...)
	cmd.Dir = h.work
	for name, value := range h.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// want fails the test unless a script ended as it should and said so much.
func (h *host) want(said string, code, wanted int, says ...string) {
	h.Helper()
	if code != wanted {
		h.Errorf("exit code %d, want %d", code, wanted)
	}
	for _, text := range says {
		if !strings.Contains(said, text) {
			h.Errorf("%q is missing", text)
		}
	}
	if h.Failed() {
		h.Fatal(said)
	}
}

// names are the images in the store.
func (h *host) names() (names []string) {
	h.Helper()
	images, err := h.daemon.Client("default").ImageService().List(h.Context())
	h.must(err)
	for _, image := range images {
		names = append(names, image.Name)
	}
	return names
}

// pruned fails the test unless just the unused images are gone.
func (h *host) pruned() {
	h.Helper()
	left := strings.Join(h.names(), " ")
	for _, gone := range []*imagestore.Image{h.sample.One, h.sample.Two, h.sample.Base} {
		if strings.Contains(left, gone.Name) {
			h.Errorf("%s is still there: %s", gone.Name, left)
		}
	}
	if !strings.Contains(left, h.sample.Used.Name) {
		h.Errorf("%s is gone: %s", h.sample.Used.Name, left)
	}
}

// read is a file of the job, "" if there is none.
func (h *host) read(name string) string {
	h.Helper()
	b, err := os.ReadFile(filepath.Join(h.work, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.Fatal(err)
	}
	return string(b)
}

// parse reads a file of YAML.
func parse[T any](t *testing.T, path string) (parsed T) {
	t.Helper()
	text, err := os.ReadFile(deploy + path)
	if err == nil {
		err = yaml.Unmarshal(text, &parsed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
