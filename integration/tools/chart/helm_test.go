//go:build deploy

package chart

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

var update = flag.Bool("update", false, "write deploy/kubernetes again")

// program is the command, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&program: programs.Command}))
}

const folder = deploy + "/helm/ctr-prune"

// helm runs helm without anything of this user, and returns what it said.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), parts.Helm)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), paths.Bin(parts.Helm, "helm"), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	return stdout.String(), nil
}

// rendered is what the chart makes of values.
func rendered(t *testing.T, values string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := helm(t, "lint", "--strict", "--quiet", folder, "-f", file); err != nil {
		t.Errorf("helm lint: %v", err)
	}
	text, err := helm(t, "template", "ctr-prune", folder, "-n", "kube-system", "-f", file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rule is one of a role.
func rule(verb, resource string) object {
	return object{"apiGroups": []any{""}, "resources": []any{resource}, "verbs": []any{verb}}
}

// corner are values, and what follows from them.
type corner struct {
	values string
	// cluster are the rights in the cluster; events are those to tell of.
	cluster []object
	events  bool
	// args are among the arguments of the program.
	args []string
	// known says that the command understands the policy.
	known bool
}

// corners are all sources of pods with all else that needs rights, and every other value
// once.
func corners() map[string]corner {
	all := map[string]corner{
		"dry run off":   {values: "dryRun: false", cluster: []object{rule("list", "pods")}, known: true},
		"k3s":           {values: "distribution: k3s", cluster: []object{rule("list", "pods")}, args: []string{"--address=/run/k3s/containerd/containerd.sock"}, known: true},
		"rke2":          {values: "distribution: rke2", cluster: []object{rule("list", "pods")}, known: true},
		"k0s":           {values: "distribution: k0s", cluster: []object{rule("list", "pods")}, args: []string{"--address=/run/k0s/containerd.sock"}, known: true},
		"microk8s":      {values: "distribution: microk8s", cluster: []object{rule("list", "pods")}, args: []string{"--address=/var/snap/microk8s/common/run/containerd.sock"}, known: true},
		"elsewhere":     {values: "containerd: {socket: /run/x/c.sock, root: /data/containerd, otherRoots: [/data/stargz]}", cluster: []object{rule("list", "pods")}, args: []string{"--address=/run/x/c.sock"}, known: true},
		"all monitored": {values: "metrics: {serviceMonitor: {enabled: true, labels: {release: p}}, rules: {enabled: true, labels: {release: p}}, dashboard: {enabled: true}}", cluster: []object{rule("list", "pods")}, known: true},
		"a policy": {values: "config: {version: 1, rules: [], disk: {high: 70%}, fuse: {count: 500}}\nmetrics: {port: 1234, service: false}",
			cluster: []object{rule("list", "pods")}, known: true},
		"protected":               {values: "protectConfigMaps: [workloads, more]\nconfig: {version: 1, protect: {labels: [keep]}}", cluster: []object{rule("list", "pods")}},
		"policies of the network": {values: "networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {a: b}}}]}\npods: {source: none}", known: true},
		"a closed network":        {values: "networkPolicy: {enabled: true}", cluster: []object{rule("list", "pods")}, known: true},
		"names and places": {values: `
image: {repository: registry.example/p, digest: "sha256:` + strings.Repeat("0", 64) + `", pullPolicy: Always}
imagePullSecrets: [{name: s}]
serviceAccount: {name: ctr-prune, annotations: {a: b}}
podLabels: {a: b}
podAnnotations: {a: b}
affinity: {nodeAffinity: {}}
securityContext: {seLinuxOptions: {type: spc_t}}
updateStrategy: {maxUnavailable: 3}
extraArgs: ["--max-stall=1s"]
state: {hostPath: /data/ctr-prune}`, cluster: []object{rule("list", "pods")}, args: []string{"--max-stall=1s"}, known: true},
		"as little as can be": {values: "priorityClassName: ''\ntolerations: []\nnodeSelector: null\nresources: {requests: null, limits: {memory: 1Gi, cpu: 1}}", cluster: []object{rule("list", "pods")}, known: true},
	}
	for source, rights := range map[string][]object{"apiserver": {rule("list", "pods")}, "kubelet": {rule("get", "nodes/pods")}, "file": nil, "none": nil} {
		for _, check := range []bool{false, true} {
			for _, events := range []bool{false, true} {
				c := corner{values: fmt.Sprintf("pods: {source: %s, file: /run/pods/list.json}\nkubeletCheck: %v\nevents: %v", source, check, events), cluster: rights, events: events}
				if check {
					c.cluster = append(rights[:len(rights):len(rights)], rule("get", "nodes/configz"))
				}
				c.known = true
				if source == "file" {
					c.args = []string{"--pods=/run/pods/list.json"}
				}
				all[fmt.Sprintf("pods from %s and marks %v and events %v", source, check, events)] = c
			}
		}
	}
	return all
}

// Whatever the values, the chart makes what Kubernetes understands, asks for the rights
// that these need and no others, and for a token only if there are any.
func TestCorners(t *testing.T) {
	out := t.TempDir()
	var tidy []string
	count := 0
	for name, c := range corners() {
		t.Run(name, func(t *testing.T) {
			text := rendered(t, c.values)
			all := objects(t, []byte(text))
			c.wantRights(t, all)
			daemons := all["DaemonSet ctr-prune"]
			token := at[bool](t, daemons, "spec", "template", "spec", "automountServiceAccountToken")
			if want := len(c.cluster) > 0 || c.events; token != want {
				t.Errorf("there is a token: %v, want %v", token, want)
			}
			container := at[[]any](t, daemons, "spec", "template", "spec", "containers")[0].(object)
			args := fmt.Sprint(at[[]any](t, container, "args"))
			for _, arg := range c.args {
				if !strings.Contains(args+" ", arg) {
					t.Errorf("%s is not among %s", arg, args)
				}
			}
			if dry := !strings.Contains(c.values, "dryRun: false"); strings.Contains(args, "--dry-run") != dry {
				t.Errorf("a dry run: want %v, %s", dry, args)
			}
			wantHarmless(t, daemons, container)
			if c.known {
				checkConfig(t, program, all, "ctr-prune")
			}
			count++
			file := filepath.Join(out, fmt.Sprintf("%d.yaml", count))
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, "kind: PrometheusRule") { // which has a file as it is
				tidy = append(tidy, file)
			}
		})
	}
	conforms(t, out)
	yamllint(t, tidy...)
}

// wantRights fails the test unless there are the roles that the values need.
func (c corner) wantRights(t *testing.T, all map[string]object) {
	t.Helper()
	var got []object
	if role, ok := all["ClusterRole ctr-prune"]; ok {
		for _, r := range at[[]any](t, role, "rules") {
			got = append(got, r.(object))
		}
	}
	if diff := cmp.Diff(c.cluster, got); diff != "" {
		t.Errorf("rights in the cluster (- wanted, + are there):\n%s", diff)
	}
	role, bound := all["Role ctr-prune"], all["RoleBinding ctr-prune"]
	if (role != nil) != c.events || (bound != nil) != c.events {
		t.Fatalf("rights to tell of events: %v, %v", role, bound)
	}
	if !c.events {
		return
	}
	want := []any{object{"apiGroups": []any{""}, "resources": []any{"events"}, "verbs": []any{"create", "patch"}}}
	if diff := cmp.Diff(want, at[[]any](t, role, "rules")); diff != "" || at[string](t, role, "metadata", "namespace") != "default" {
		t.Errorf("rights in namespace default:\n%s", diff)
	}
}

// wantHarmless fails the test if the pod could do more than it has to.
func wantHarmless(t *testing.T, daemons, container object) {
	t.Helper()
	pod := at[object](t, daemons, "spec", "template", "spec")
	for _, key := range []string{"hostPID", "hostNetwork", "hostIPC"} {
		if pod[key] != nil {
			t.Errorf("the pod has %s", key)
		}
	}
	security := at[object](t, container, "securityContext")
	want := object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []any{"ALL"}}}
	if diff := cmp.Diff(want, security); diff != "" {
		t.Errorf("the security context (- wanted, + is there):\n%s", diff)
	}
	for _, m := range at[[]any](t, container, "volumeMounts") {
		mount := m.(object)
		name := at[string](t, mount, "name")
		if name != "state" && name != "socket" && !at[bool](t, mount, "readOnly") {
			t.Errorf("%s can be written to", name)
		}
	}
}

// What is misspelt, or belongs elsewhere, is refused with the name of the value.
func TestBadValues(t *testing.T) {
	for set, want := range map[string]string{
		"dryrun=false":                       "dryrun",
		"pods.source=api":                    "/pods/source",
		"distribution=k4s":                   "/distribution",
		"config.serve.listen=1.2.3.4:80":     "config.serve.listen is set by the chart: use the value metrics.port",
		"config.serve.pods.source=none":      "config.serve.pods is set by the chart: use the value pods.source",
		"config.version=2":                   "/config/version",
		"state.hostPath=relative":            "/state/hostPath",
		"resources.limits.memory=lots":       `resources.limits.memory "lots"`,
		"pods.source=file":                   "pods.file: name the file",
		"image.digest=sha256:1":              "/image/digest",
		"terminationGracePeriodSeconds=1":    "/terminationGracePeriodSeconds",
		"updateStrategy.maxUnavailable=none": "/updateStrategy/maxUnavailable",
	} {
		if _, err := helm(t, "template", "ctr-prune", folder, "--set", set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
}

// What is there for those without helm is what the chart makes.
func TestManifestsAreCurrent(t *testing.T) {
	const file = deploy + "/kubernetes/ctr-prune.yaml"
	text, err := helm(t, "template", "ctr-prune", folder, "-n", "kube-system")
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# Source: ") && !strings.HasPrefix(strings.TrimSpace(line), "helm.sh/chart:") && line != "\n" {
			kept = append(kept, strings.Replace(line, "app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kubectl", 1))
		}
	}
	want := "# Written by make manifests from deploy/helm/ctr-prune, with its values as they come:\n# it only tells what it would remove. kubectl apply -f this file; docs/kubernetes.md.\n" + strings.Join(kept, "")
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if diff := cmp.Diff(string(got), want); diff != "" || err != nil {
		t.Errorf("%s is not current; run: make manifests\n%v%s", file, err, diff)
	}
}

// NOTES name what there is, and where a command looks if that is elsewhere.
func TestNotes(t *testing.T) {
	for state, want := range map[string]string{"/var/lib/ctr-prune": "/ctr-prune history\n", "/data/p": "/ctr-prune history --state /data/p\n"} {
		text, err := helm(t, "install", "ctr-prune", folder, "-n", "kube-system", "--dry-run=client", "--set", "state.hostPath="+state)
		for _, want := range []string{"kubectl -n kube-system rollout status daemonset/ctr-prune", "--set dryRun=false", want} {
			if err != nil || !strings.Contains(text, want) {
				t.Errorf("NOTES lack %q: %v\n%s", want, err, text)
			}
		}
	}
}

// The YAML of the repository is as tidy as what the chart makes.
func TestYAMLIsTidy(t *testing.T) {
	yamllint(t, folder+"/Chart.yaml", folder+"/values.yaml", deploy+"/kubernetes", deploy+"/packages", deploy+"/prometheus", "../../../.github/workflows")
}

func yamllint(t *testing.T, files ...string) {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), parts.Yamllint)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--strict", "--format", "parsable", "-c", deploy + "/yamllint.yaml"}, files...)
	said, err := exec.CommandContext(t.Context(), paths.Bin(parts.Yamllint, "yamllint"), args...).CombinedOutput()
	if err != nil {
		t.Errorf("yamllint: %v\n%.3000s", err, said)
	}
}

// conforms lets kubeconform compare all files of a folder with the API of Kubernetes.
func conforms(t *testing.T, dir string) {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), parts.Kubeconform)
	if err != nil {
		t.Fatal(err)
	}
	schemas := writeSchemas(t)
	cmd := exec.CommandContext(t.Context(), paths.Bin(parts.Kubeconform, "kubeconform"), "-strict", "-summary", "-skip", "ServiceMonitor,PrometheusRule",
		"-schema-location", schemas+"/{{.ResourceKind}}{{.KindSuffix}}.json", dir)
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "Invalid: 0, Errors: 0") {
		t.Errorf("kubeconform: %v\n%.5000s", err, said)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.FailNow()
	}
}
