//go:build deploy

package chart

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kubernetes is the version whose API the chart is compared with: that of make
// test-cluster.
const kubernetes = "k8s.io/kubernetes@v1.37.2"

// writeSchemas makes JSON Schemas of the description of the API in Kubernetes' own
// sources, and returns their folder. Nothing but what is described is allowed.
func writeSchemas(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", kubernetes)
	cmd.Dir = t.TempDir() // of no module
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(said, &module); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(module.Dir, "api/openapi-spec/swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Definitions map[string]object }
	if err := json.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	api.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] = []any{"string", "number"}
	for name := range api.Definitions {
		strict(api.Definitions[name])
	}
	dir := t.TempDir()
	for name, definition := range api.Definitions {
		for _, kind := range kinds(definition) {
			writeSchema(t, filepath.Join(dir, kind), name, api.Definitions)
		}
	}
	return dir
}

// used are the kinds that the chart makes.
var used = map[string]bool{
	"ServiceAccount": true, "ConfigMap": true, "ClusterRole": true, "ClusterRoleBinding": true, "Role": true, "RoleBinding": true,
	"Service": true, "DaemonSet": true, "NetworkPolicy": true,
}

// kinds are the names that kubeconform has for files with the schema of a definition.
func kinds(definition object) (names []string) {
	list, _ := definition["x-kubernetes-group-version-kind"].([]any)
	for _, item := range list {
		gvk, _ := item.(object)
		kind, _ := gvk["kind"].(string)
		group, _ := gvk["group"].(string)
		version, _ := gvk["version"].(string)
		if !used[kind] {
			continue
		}
		if group, _, _ = strings.Cut(group, "."); group != "" {
			group = "-" + group
		}
		names = append(names, strings.ToLower(kind)+group+"-"+version+".json")
	}
	return names
}

// strict allows only the fields that are described, and numbers where either may be.
func strict(definition object) {
	properties, ok := definition["properties"].(object)
	if ok {
		definition["additionalProperties"] = false
		for _, p := range properties {
			strict(p.(object))
		}
	}
	if items, ok := definition["items"].(object); ok {
		strict(items)
	}
	if definition["format"] == "int-or-string" {
		delete(definition, "format")
		definition["type"] = []any{"string", "integer"}
	}
}

func writeSchema(t *testing.T, file, name string, definitions map[string]object) {
	t.Helper()
	schema := maps.Clone(definitions[name])
	schema["$schema"], schema["definitions"] = "http://json-schema.org/draft-07/schema#", definitions
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
