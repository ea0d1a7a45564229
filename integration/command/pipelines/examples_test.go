package pipelines_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/leases"
)

// The job of GitLab prunes, and leaves the report and the figures.
func TestGitLabJob(t *testing.T) {
	h := newHost(t).installed()
	job := parse[struct {
		Prune struct {
			Variables map[string]string
			Script    []string
			Artifacts struct {
				Paths   []string
				Reports map[string]string
			}
		}
	}](t, "gitlab/prune.gitlab-ci.yml").Prune
	for name, value := range job.Variables {
		h.env[name] = value
	}
	h.env["PRUNE_UNTIL"] = "0s" // all images of the test are new
	// As the runner does: the lines in one shell that ends at an error.
	shell, script := []string{"bash", "-eo", "pipefail", "-c"}, strings.Join(job.Script, "\n")
	store := h.daemon.Store("default")
	h.must(store.RunLease(t.Context(), "20261129-080000-abcdef", false))
	said, code := h.run(shell, strings.Replace(script, "--wait ", "", 1))
	h.want(said, code, 3, "another run")
	h.must(store.DropLease(t.Context(), leases.KindRun.ID("20261129-080000-abcdef"), true))
	said, code = h.run(shell, script)
	h.want(said, code, 0, "ctr_prune_removed ", "ctr_prune_reclaimed_bytes ")
	h.pruned()
	if !strings.Contains(h.read(job.Artifacts.Paths[0]), `"kind": "report"`) {
		t.Errorf("there is no report in %s", job.Artifacts.Paths[0])
	}
	if figures := h.read(job.Artifacts.Reports["metrics"]); !regexp.MustCompile(`^ctr_prune_removed [1-9]\d*\nctr_prune_reclaimed_bytes [1-9]\d*\n$`).MatchString(figures) {
		t.Errorf("the figures are %s", figures)
	}
}

// The hook of Buildkite makes room before a job, which begins whatever comes of it.
func TestBuildkiteHook(t *testing.T) {
	h := newHost(t).installed()
	hook, err := os.ReadFile(deploy + "buildkite/hooks/pre-command")
	h.must(err)
	shell := []string{"bash", "-c"}
	h.env["CTR_PRUNE_LOW"] = "1%" // less than any disk has in use
	said, code := h.run(shell, string(hook))
	h.want(said, code, 0, "~~~ ctr-prune", "What could be freed is freed; that was less than wanted.")
	h.pruned()
	h.env["CTR_PRUNE_LOW"] = "99%"
	said, code = h.run(shell, string(hook))
	h.want(said, code, 0, "Nothing to remove")
	h.env["CONTAINERD_ADDRESS"] = "/nowhere"
	said, code = h.run(shell, string(hook))
	h.want(said, code, 0, "^^^ +++", "ctr-prune failed with exit code 4; the job begins all the same.")
}

// The step of Buildkite prunes.
func TestBuildkiteStep(t *testing.T) {
	h := newHost(t).installed()
	steps := parse[struct{ Steps []struct{ Command string } }](t, "buildkite/pipeline.yml").Steps
	said, code := h.run([]string{"bash", "-e", "-c"}, strings.Replace(steps[0].Command, "--until=72h", "--until=0s", 1))
	h.want(said, code, 0, "Total reclaimed space: ")
	h.pruned()
}

// The scripts of Jenkins prune, and tell what that freed.
func TestJenkinsfile(t *testing.T) {
	h := newHost(t).installed()
	file, err := os.ReadFile(deploy + "jenkins/Jenkinsfile")
	h.must(err)
	scripts := regexp.MustCompile(`(?s)\bsh(?:\([^']*)? ?'''(.*?)'''`).FindAllStringSubmatch(string(file), -1)
	if len(scripts) != 2 {
		t.Fatalf("%d scripts", len(scripts))
	}
	h.env["PRUNE_UNTIL"] = "0s"
	for i, says := range []string{"", "removed "} {
		said, code := h.run([]string{"sh", "-xe", "-c"}, strings.ReplaceAll(scripts[i][1], `\\`, `\`)) // as Groovy reads it
		h.want(said, code, 0, says)
	}
	h.pruned()
}

// None of the scripts has a mistake that shellcheck knows, and none of the files one that
// yamllint does.
func TestExamplesAreClean(t *testing.T) {
	paths, err := parts.Ensure(t.Context(), parts.Shellcheck, parts.Yamllint)
	if err != nil { // nobody would miss the judges otherwise
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := parse[action](t, "github-action/action.yml")
	files := []string{deploy + "buildkite/hooks/pre-command"}
	for i, step := range a.Runs.Steps {
		files = append(files, filepath.Join(dir, string(rune('a'+i))))
		if err := os.WriteFile(files[i+1], []byte("#!/usr/bin/env bash\nset -eo pipefail\n"+step.Run), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for program, args := range map[string][]string{
		paths.Bin(parts.Shellcheck, "shellcheck"): files,
		paths.Bin(parts.Yamllint, "yamllint"):     {"--strict", "-c", deploy + "yamllint.yaml", deploy + "github-action/action.yml", deploy + "gitlab/prune.gitlab-ci.yml", deploy + "buildkite/pipeline.yml"},
	} {
		if said, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", program, err, said)
		}
	}
}
