package pipelines_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// action is deploy/github-action/action.yml.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Name, If, Shell, Run string
			Env                      map[string]string
		}
	}
}

// expression matches what GitHub replaces in the action.
var expression = regexp.MustCompile(`\$\{\{ *(inputs|steps\.prune\.outputs)\.([a-z0-9-]+) *\}\}`)

// use runs the steps of the action as GitHub does, and returns what they printed, the
// exit code of the one that failed, and the action's outputs.
func (h *host) use(inputs map[string]string) (said string, code int, outputs map[string]string) {
	h.Helper()
	a := parse[action](h.T, "github-action/action.yml")
	value := func(text string, set map[string]string) string {
		return expression.ReplaceAllStringFunc(text, func(e string) string { return set[expression.FindStringSubmatch(e)[2]] })
	}
	given := make(map[string]string)
	for name, input := range a.Inputs {
		given[name] = input.Default
	}
	for name, text := range inputs {
		if _, known := a.Inputs[name]; !known {
			h.Fatalf("there is no input %s", name)
		}
		given[name] = text
	}
	h.env["RUNNER_TEMP"] = h.work
	for _, file := range []string{"GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		h.env[file] = filepath.Join(h.work, file)
		h.must(os.WriteFile(h.env[file], nil, 0o600))
	}
	set := make(map[string]string)
	for _, step := range a.Runs.Steps {
		if step.If == "inputs.version != ''" && given["version"] == "" {
			continue
		}
		for name, text := range step.Env {
			h.env[name] = value(text, given)
		}
		out, ended := h.run([]string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"}, step.Run)
		said += out
		if code = ended; code != 0 {
			break
		}
		for dir := range strings.Lines(h.read("GITHUB_PATH")) {
			h.env["PATH"] = strings.TrimSpace(dir) + ":" + h.env["PATH"]
		}
		for line := range strings.Lines(h.read("GITHUB_OUTPUT")) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), "=")
			set[name] = text
		}
	}
	outputs = make(map[string]string)
	for name, output := range a.Outputs {
		outputs[name] = value(output.Value, set)
	}
	return said, code, outputs
}

// The action runs on an installed ctr-prune, and tells what it did by annotations, a
// summary and outputs.
func TestGitHubAction(t *testing.T) {
	h := newHost(t).installed()
	said, code, outputs := h.use(map[string]string{"flags": "--all\n--dry-run\n"})
	h.want(said, code, 0, "::notice title=ctr-prune::Would remove ", h.sample.One.Name)
	if before := outputs; before["removed"] != "0" || before["planned"] == "0" || before["predicted-bytes"] == "0" {
		t.Errorf("the outputs of a dry run: %v", before)
	}
	planned, predicted := outputs["planned"], outputs["predicted-bytes"]
	said, code, outputs = h.use(map[string]string{"flags": "--all\n\n"})
	h.want(said, code, 0, "::notice title=ctr-prune::Removed "+planned+" of ", "Untagged: "+h.sample.One.Name)
	h.pruned()
	if outputs["removed"] != planned || outputs["reclaimed-bytes"] != predicted {
		t.Errorf("the outputs are %v, planned was %s and %s bytes", outputs, planned, predicted)
	}
	if summary := h.read("GITHUB_STEP_SUMMARY"); !strings.HasPrefix(summary, "### ctr-prune: Removed "+planned+" of ") {
		t.Errorf("the summary is %s", summary)
	}
}

// A flag reaches ctr-prune as it is: no shell takes it apart. A failure of ctr-prune is
// one of the step, and annotates it.
func TestGitHubActionFlags(t *testing.T) {
	h := newHost(t).installed()
	said, code, _ := h.use(map[string]string{"flags": "--all\n--filter=label=a b; touch $(echo injected) *\n--dry-run"})
	h.want(said, code, 0, "Nothing to remove")
	if left, err := filepath.Glob(filepath.Join(h.work, "injected*")); err != nil || len(left) > 0 {
		t.Errorf("a shell ran the flag: %q, %v", left, err)
	}
	said, code, _ = h.use(map[string]string{"flags": "--untill=72h"})
	h.want(said, code, 2, "::error title=ctr-prune::unknown flag: --untill")
	if summary := h.read("GITHUB_STEP_SUMMARY"); !strings.HasPrefix(summary, "**Error:** ") {
		t.Errorf("the summary is %s", summary)
	}
}

// Without root the step uses sudo, which gets what the runner reads.
func TestGitHubActionWithSudo(t *testing.T) {
	h := newHost(t).installed()
	h.program("sudo", `printf '%s\n' "$@"`)
	a := parse[action](t, "github-action/action.yml")
	script := a.Runs.Steps[1].Run
	h.env["GIVEN"], h.env["GITHUB_STEP_SUMMARY"], h.env["GITHUB_OUTPUT"] = "--all", "/a summary", "/output"
	// EUID is a variable of bash that nobody can set: the script is told another name.
	h.env["OTHER"] = "1000"
	said, code := h.run([]string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"}, strings.ReplaceAll(script, "EUID", "OTHER"))
	h.want(said, code, 0)
	want := []string{"--non-interactive", "env", "GITHUB_STEP_SUMMARY=/a summary", "GITHUB_OUTPUT=/output", filepath.Join(h.bin, "ctr-prune"), "--format=github", "--force", "--wait", "--timeout=1h", "--all"}
	if got := strings.Split(strings.TrimSpace(said), "\n"); !slices.Equal(got, want) {
		t.Errorf("sudo was called with %q, want %q", got, want)
	}
}

// A version is installed from a release, whose package has to be what its checksum says.
func TestGitHubActionInstalls(t *testing.T) {
	h := newHost(t)
	release := h.release("v9.8.7")
	packages, err := filepath.Glob(filepath.Join(release, "v9.8.7", "*.apk"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("packages: %q, %v", packages, err)
	}
	content, err := os.ReadFile(packages[0])
	h.must(err)
	sum := sha256.Sum256(content)
	server := httptest.NewServer(http.FileServer(http.Dir(release)))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		inputs map[string]string
		code   int
		says   string
	}{
		"by the release's list":        {map[string]string{"version": "9.8.7"}, 0, "::notice title=ctr-prune::Would remove "},
		"by a checksum":                {map[string]string{"version": "v9.8.7", "sha256": hex.EncodeToString(sum[:])}, 0, "::notice title=ctr-prune::Would remove "},
		"not with another checksum":    {map[string]string{"version": "9.8.7", "sha256": strings.Repeat("0", 64)}, 1, "FAILED"},
		"not a version without a file": {map[string]string{"version": "9.8.8"}, 22, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			inside := *h
			inside.T, inside.work = t, t.TempDir()
			inside.env = map[string]string{"PATH": h.env["PATH"], "HOME": inside.work, "CONTAINERD_ADDRESS": h.daemon.Address()}
			c.inputs["releases"], c.inputs["flags"] = server.URL, "--all\n--dry-run"
			said, code, _ := inside.use(c.inputs)
			inside.want(said, code, c.code, c.says)
			if path := inside.read("GITHUB_PATH"); (path == "") != (c.code != 0) {
				t.Errorf("exit code %d, and the path is %q", code, path)
			}
		})
	}
	h.must(os.WriteFile(filepath.Join(release, "v9.8.7", "SHA256SUMS"), []byte(strings.Repeat("0", 64)+"  another\n"), 0o600))
	said, code, _ := h.use(map[string]string{"version": "9.8.7", "releases": server.URL})
	h.want(said, code, 1, "no properly formatted")
}

// release makes the packages of a version, as a release has them, of the command under
// test.
func (h *host) release(version string) string {
	h.Helper()
	top, err := filepath.Abs("../../..")
	h.must(err)
	platform, out := h.TempDir(), h.TempDir()
	h.must(os.Link(binary, filepath.Join(platform, "ctr-prune")), os.WriteFile(filepath.Join(platform, "ctr-prune.cdx.json"), []byte("{}"), 0o600))
	cmd := exec.CommandContext(h.Context(), "go", "run", "./integration/tools/packages", "-platform", runtime.GOARCH+"="+platform, "-program", binary, "-out", filepath.Join(out, version), "-version", version)
	cmd.Dir = top
	if said, err := cmd.CombinedOutput(); err != nil {
		h.Fatal(fmt.Errorf("%w: %s", err, said))
	}
	return out
}
