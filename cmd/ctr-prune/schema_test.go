package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// schemas are the documents that docs/schema describes, by the file's name.
func schemas() map[string]reflect.Type {
	return map[string]reflect.Type{
		"plan": reflect.TypeFor[prune.Document](), "report": reflect.TypeFor[prune.Document](),
		"df": reflect.TypeFor[usageDocument](), "explain": reflect.TypeFor[explanationDocument](),
		"runs": reflect.TypeFor[runsDocument](), "leases": reflect.TypeFor[leasesDocument](),
		"leases-prune": reflect.TypeFor[prunedLeases](), "undo": reflect.TypeFor[undoneDocument](), "drop": reflect.TypeFor[droppedDocument](),
		"check": reflect.TypeFor[checkDocument](), "history": reflect.TypeFor[historyDocument](), "status": reflect.TypeFor[resident.Status](), "policy-test": reflect.TypeFor[policyTestDocument](), "policy-check": reflect.TypeFor[policyCheckDocument](),
	}
}

const schemaFolder = "../../docs/schema"

// The schema files say what the types say.
func TestSchemasAreCurrent(t *testing.T) {
	for name, typ := range schemas() {
		s := schemaWriter{defs: map[string]any{}}
		top := s.object(typ)
		top["$schema"], top["title"] = "https://json-schema.org/draft/2020-12/schema", "ctr-prune: "+name
		properties := top["properties"].(map[string]any)
		properties["kind"] = map[string]any{"const": name}
		properties["schemaVersion"] = map[string]any{"const": 1}
		top["$defs"] = s.defs
		want, err := json.MarshalIndent(top, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		path := filepath.Join(schemaFolder, name+".schema.json")
		if *texttest.Update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), string(want)); diff != "" {
			t.Errorf("%s is not current; run: go test ./cmd/ctr-prune -run Schemas -update\n(-committed +generated):\n%s", path, diff)
		}
	}
}

// schemaWriter turns Go types into JSON Schema. Objects may have more
// properties than it lists: documents only grow.
type schemaWriter struct{ defs map[string]any }

func (s schemaWriter) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		if !f.IsExported() || f.Anonymous || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		properties[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

func (s schemaWriter) of(t reflect.Type) any {
	if t == reflect.TypeFor[*prune.Retention]() { // which is a policy file
		return map[string]any{"$ref": "policy.schema.json"}
	}
	if t == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{s.of(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Struct:
		if _, known := s.defs[t.Name()]; !known {
			s.defs[t.Name()] = nil
			s.defs[t.Name()] = s.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32:
		return map[string]any{"type": "integer"}
	default:
		panic("no type of JSON is known for " + t.String())
	}
}

// What the commands print is what the schemas say.
func TestOutputMatchesTheSchemas(t *testing.T) {
	root := t.TempDir()
	store, err := imagestore.OpenEmbedded(context.Background(), root, "native")
	if err != nil {
		t.Fatal(err)
	}
	lease := imagestore.New(7).Image(imagestore.Spec{})
	if err := errors.Join(node(store), built(store), hostile(store), k8s(store),
		store.Store(text.DefaultNamespace).PullLease(context.Background(), "old", time.Now().Add(-time.Hour), lease), store.Close()); err != nil {
		t.Fatal(err)
	}
	output := func(args ...string) []byte {
		t.Helper()
		f := newFake("")
		f.now = time.Now
		if code := f.main(append(args, "--root", root, "--format", "json")...); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, f.err)
		}
		return f.out.Bytes()
	}
	conforms(t, "plan", output("-a", "--all-namespaces", "--dry-run", "--ingests"))
	conforms(t, "df", output("df", "-v"))
	conforms(t, "leases", output("leases"))
	conforms(t, "explain", output("explain", "-a", "app:1"))
	conforms(t, "explain", output("explain", "web"))
	conforms(t, "report", output("-a", "--all-namespaces", "-f", "--grace", "24h"))
	conforms(t, "runs", output("runs"))
	conforms(t, "undo", output("undo"))
	output("-a", "-f", "--grace", "24h")
	var runs runsDocument
	if err := json.Unmarshal(output("runs"), &runs); err != nil || len(runs.Runs) != 1 {
		t.Fatalf("%v: %+v", err, runs)
	}
	conforms(t, "drop", output("runs", "drop", "-f", runs.Runs[0].Name))
	conforms(t, "leases-prune", output("leases", "prune", "-f"))
	collected := output("-a", "-f", "-n", "k8s.io")
	conforms(t, "report", collected)
	var report prune.Document
	if err := json.Unmarshal(collected, &report); err != nil || report.Stall == 0 || report.Reclaimed.Blobs == 0 {
		t.Errorf("%v: nothing was collected: %.500s", err, collected)
	}
}

// A store that has only content has no snapshotters, and still a list of them.
func TestOutputOfAStoreWithoutSnapshotters(t *testing.T) {
	root, ctx := t.TempDir(), context.Background()
	store, err := imagestore.OpenEmbedded(ctx, root, "native")
	if err != nil {
		t.Fatal(err)
	}
	img := imagestore.New(8).Image(imagestore.Spec{Name: "docker.io/library/app:1"})
	if err := errors.Join(store.Store(text.DefaultNamespace).Write(ctx, img), store.Close(), os.RemoveAll(filepath.Join(root, "io.containerd.snapshotter.v1.native"))); err != nil {
		t.Fatal(err)
	}
	for schema, args := range map[string][]string{"plan": {"-a", "--dry-run"}, "df": {"df"}, "leases": {"leases"}, "explain": {"explain", "app:1"}, "runs": {"runs"}, "check": {"check"}} {
		f := newFake("")
		if code := f.main(append(args, "--root", root, "--format", "json")...); code != 0 {
			t.Errorf("%q: exit code %d: %s", args, code, f.err)
			continue
		}
		conforms(t, schema, f.out.Bytes())
	}
}

func conforms(t *testing.T, name string, output []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(schemaFolder, name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(output))
	if err != nil {
		t.Fatalf("%s: %v in %.500s", name, err, output)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	// A schema that accepts anything would prove nothing.
	delete(v.(map[string]any), "schemaVersion")
	if schema.Validate(v) == nil {
		t.Errorf("%s without a version is accepted", name)
	}
}
