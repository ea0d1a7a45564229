package programs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// conform fails the test unless a document that the command printed is what
// docs/schema says of its kind. What has no kind is not the command's.
func conform(tb testing.TB, output []byte) {
	tb.Helper()
	var kind struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(output, &kind) != nil || kind.Kind == "" {
		return
	}
	schema, err := schemaOf(kind.Kind)
	if err != nil {
		tb.Fatal(err)
	}
	if schema == nil {
		return
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(output))
	if err != nil {
		tb.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		tb.Errorf("the document is not what docs/schema says of a %s: %v", kind.Kind, err)
	}
}

var schemas = struct {
	sync.Mutex
	known map[string]*jsonschema.Schema
}{known: map[string]*jsonschema.Schema{}}

// schemaOf is the schema of a kind of document, nil if there is none.
func schemaOf(kind string) (*jsonschema.Schema, error) {
	schemas.Lock()
	defer schemas.Unlock()
	schema, known := schemas.known[kind]
	if known {
		return schema, nil
	}
	root, err := parts.ModuleRoot()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(root, "docs", "schema", filepath.Base(kind)+".schema.json")
	if _, err := os.Stat(path); err == nil {
		if schema, err = jsonschema.NewCompiler().Compile(path); err != nil {
			return nil, err
		}
	}
	schemas.known[kind] = schema
	return schema, nil
}
