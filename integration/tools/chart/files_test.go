package chart

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

const deploy = "../../../deploy"

// object is one of Kubernetes.
type object = map[string]any

// objects are those of a file, by kind and name.
func objects(t *testing.T, text []byte) map[string]object {
	t.Helper()
	all := make(map[string]object)
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if o != nil {
			all[at[string](t, o, "kind")+" "+at[string](t, o, "metadata", "name")] = o
		}
	}
}

// at is what is at a path of an object.
func at[T any](t *testing.T, o object, path ...string) (found T) {
	t.Helper()
	var value any = o
	for _, key := range path {
		inner, ok := value.(object)
		if !ok {
			t.Fatalf("there is no %s: %v", strings.Join(path, "."), o)
		}
		value = inner[key]
	}
	found, _ = value.(T)
	return found
}

// checkConfig lets the command judge the policy file that a chart makes.
func checkConfig(t *testing.T, program string, all map[string]object, name string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(at[string](t, all["ConfigMap "+name], "data", "config.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := programs.Run(t, nil, program, "policy", "check", file); said.Code != 0 {
		t.Errorf("the policy of the chart: %+v", said)
	}
}

// Those without helm get what removes nothing at first, with a policy that the command
// understands.
func TestRenderedManifests(t *testing.T) {
	text, err := os.ReadFile(deploy + "/kubernetes/ctr-prune.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t, text)
	if len(all) != 6 || !bytes.Contains(text, []byte("\n            - --dry-run\n")) {
		t.Errorf("there are %d objects, or no --dry-run", len(all))
	}
	checkConfig(t, programs.Build(t), all, "ctr-prune")
}
