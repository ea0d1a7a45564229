//go:build deploy

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/foreign"
)

const workflow = "../../../.github/workflows/release.yml"

// step is one of a job of a workflow.
type step struct {
	Name string
	Uses string
	Run  string
	Dir  string `yaml:"working-directory"`
}

type job struct {
	Needs string
	Env   map[string]string
	Steps []step
}

func jobs(t *testing.T) map[string]job {
	t.Helper()
	text, err := os.ReadFile(workflow)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Jobs map[string]job }
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all.Jobs
}

// runner runs the steps of a job in a clone of this repository.
type runner struct {
	*testing.T
	dir, temp string
	env       []string
}

// The steps of a release, run by their own commands from a tag: packages that are signed
// and the same twice, the image in a real registry, and what is published. Only who
// publishes on GitHub is a program of the test.
func TestRelease(t *testing.T) {
	all := jobs(t)
	release := all["release"]
	if check := all["check"].Steps; release.Needs != "check" || !strings.HasSuffix(check[len(check)-1].Run, " .ci/run") {
		t.Errorf("a release does not depend on .ci/run: %+v", all["check"])
	}
	r := newRunner(t)
	paths, err := parts.Ensure(t.Context(), parts.Skopeo, parts.Registry)
	if err != nil {
		t.Fatal(err)
	}
	registry := foreign.StartRegistry(t, paths.Bin(parts.Registry, "docker-registry"), filepath.Join(r.temp, "registry"))
	r.environment(registry.Host)
	for _, s := range release.Steps {
		switch {
		case s.Run != "":
			r.run(s)
		case !strings.HasPrefix(s.Uses, "actions/checkout@") && !strings.HasPrefix(s.Uses, "actions/setup-go@"):
			t.Errorf("step %q does what the test cannot: %s", s.Name, s.Uses)
		}
	}
	r.published()
	raw, err := exec.CommandContext(t.Context(), paths.Bin(parts.Skopeo, "skopeo"), "inspect", "--raw", "--tls-verify=false", "docker://"+registry.Host+"/ctr-prune:v9.8.7").CombinedOutput()
	if err != nil || strings.Count(string(raw), `"architecture":"a`) != 2 {
		t.Errorf("the registry has %s, %v", raw, err)
	}
	if left, err := filepath.Glob(filepath.Join(r.temp, "key")); err != nil || len(left) > 0 {
		t.Errorf("the key is left: %q, %v", left, err)
	}
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{T: t, dir: filepath.Join(t.TempDir(), "clone"), temp: t.TempDir()}
	top, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	output(t, "git", "clone", "--quiet", "--no-local", "--depth", "1", "file://"+top, r.dir)
	output(t, "git", "-C", r.dir, "-c", "user.name=test", "-c", "user.email=test@example.com", "tag", "v9.8.7")
	if err := os.Symlink(filepath.Join(top, ".cache"), filepath.Join(r.dir, ".cache")); err != nil {
		t.Fatal(err)
	}
	return r
}

// environment is that of a job, and of the machine that runs it.
func (r *runner) environment(registry string) {
	r.Helper()
	key, bin := filepath.Join(r.temp, "secret"), filepath.Join(r.temp, "bin")
	output(r.T, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	secret, err := os.ReadFile(key)
	insecure := fmt.Sprintf("[[registry]]\nlocation = %q\ninsecure = true\n", registry)
	config := filepath.Join(r.temp, "home/.config/containers")
	err = errors.Join(err, os.Mkdir(bin, 0o700), os.MkdirAll(config, 0o700),
		os.WriteFile(filepath.Join(bin, "gh"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$RUNNER_TEMP/published\"\n"), 0o700),
		os.WriteFile(filepath.Join(config, "registries.conf"), []byte(insecure), 0o600))
	if err != nil {
		r.Fatal(err)
	}
	r.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "RUNNER_TEMP="+r.temp, "VERSION=v9.8.7", "IMAGE="+registry+"/ctr-prune",
		"GH_TOKEN=token", "GITHUB_ACTOR=somebody", "SIGNING_KEY="+strings.TrimSpace(string(secret)), "HOME="+filepath.Join(r.temp, "home"),
		"GOCACHE="+strings.TrimSpace(string(output(r.T, "go", "env", "GOCACHE"))), "GOPATH="+strings.TrimSpace(string(output(r.T, "go", "env", "GOPATH"))),
		"REGISTRY_AUTH_FILE="+filepath.Join(r.temp, "auth.json"))
}

// run runs a step as GitHub does.
func (r *runner) run(s step) {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
	cmd.Dir, cmd.Env = filepath.Join(r.dir, s.Dir), r.env
	if said, err := cmd.CombinedOutput(); err != nil {
		r.Fatalf("step %q: %v\n%s", s.Name, err, said)
	}
}

// published fails the test unless all that belongs to a release is published.
func (r *runner) published() {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.temp, "published"))
	if err != nil {
		r.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/packages/"); ok {
			names = append(names, name)
		}
	}
	want := "SHA256SUMS SHA256SUMS.sig allowed_signers ctr-prune-9.8.7-1.aarch64.rpm ctr-prune-9.8.7-1.x86_64.rpm ctr-prune_9.8.7_aarch64.apk ctr-prune_9.8.7_amd64.deb ctr-prune_9.8.7_arm64.deb ctr-prune_9.8.7_x86_64.apk ctr-prune_linux_amd64.cdx.json ctr-prune_linux_arm64.cdx.json"
	if got := strings.Join(names, " "); got != want || !strings.HasPrefix(string(text), "release\ncreate\nv9.8.7\n") {
		r.Errorf("published is\n%s\n%s", text, got)
	}
}
