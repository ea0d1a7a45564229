package retention_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// wanted ends a broken file: what is said of it, and whether the schema sees it
// too: "blind" if a schema cannot, "syntax" if it is no single document.
var wanted = regexp.MustCompile(`(?m)^# want (\w+): (.*)\n`)

func files(t testing.TB, folder string) []string {
	t.Helper()
	found := tw.Must(filepath.Glob(filepath.Join("testdata", folder, "*.yaml")))
	if len(found) == 0 {
		t.Fatalf("there are no files in %s", folder)
	}
	return found
}

// Each broken file has one problem, told in one sentence with its place, and the
// schema refuses it, too, if a schema can.
func TestBrokenFiles(t *testing.T) {
	all := files(t, "broken")
	if len(all) < 40 {
		t.Errorf("there are only %d broken files", len(all))
	}
	schema := policySchema(t)
	for _, file := range all {
		text := tw.Must(os.ReadFile(file))
		m := wanted.FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s does not say what is wanted", file)
		}
		text = wanted.ReplaceAll(text, nil)
		_, err := retention.Parse("policy.yaml", text)
		if want := "policy.yaml:" + string(m[2]); fmt.Sprint(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", file, err, want)
		}
		refused := schemaRefuses(schema, text)
		if refused != map[string]bool{"sees": true, "syntax": true}[string(m[1])] {
			t.Errorf("%s: the schema refuses it: %v", file, refused)
		}
	}
}

// Good files are read, their JSON is the same policy again, and the schema accepts
// both.
func TestGoodFiles(t *testing.T) {
	schema := policySchema(t)
	for _, file := range files(t, "good") {
		text := tw.Must(os.ReadFile(file))
		policy, err := retention.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		again := tw.Must(json.Marshal(policy))
		same := tw.Must(retention.Parse("again", again))
		if diff := cmp.Diff(string(again), string(tw.Must(json.Marshal(same)))); diff != "" {
			t.Errorf("%s (-first +again):\n%s", file, diff)
		}
		for _, text := range [][]byte{text, again} {
			if schemaRefuses(schema, text) {
				t.Errorf("%s: the schema refuses\n%s", file, text)
			}
		}
	}
}

// Every key of the example is read, so that one that is written is never without
// effect: without it the policy, or what is left of it, is another.
func TestExample(t *testing.T) {
	policy := tw.Must(retention.Parse("example.yaml", tw.Must(os.ReadFile("testdata/good/example.yaml"))))
	const want = `{"version":1,"protect":{"names":["registry.k8s.io/pause:*","*/ctr-prune:*"],"files":["/etc/ctr-prune/protect.d/*.txt"],"labels":["keep"]},"minAge":"10m","rules":[` +
		`{"name":"releases","match":{"namespaces":["k8s.io"],"names":["ghcr.io/acme/*"],"tags":["v*"]},"keep":{"last":3,"within":"14d","usedWithin":"30d"}},` +
		`{"name":"ci","match":{"namespaces":["default","ci-*"],"names":["ci.example/**"]},"keep":{"usedWithin":"2d"}},` +
		`{"name":"base images","match":{"names":["docker.io/library/**"]},"keep":{"usedWithin":"60d"},"underPressure":"last"},` +
		`{"name":"dangling","match":{"dangling":true},"keep":"none"},{"name":"the rest","match":{"names":["**"]},"keep":"all"}],` +
		`"fuse":{"images":"60%","count":500}}`
	if diff := cmp.Diff(want, string(tw.Must(json.Marshal(policy)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"disk", "serve"}, policy.Resident); diff != "" {
		t.Errorf("sections of a resident (-want +got):\n%s", diff)
	}
}

// All problems of a file are told, in the order of their places.
func TestSeveralProblems(t *testing.T) {
	_, err := retention.Parse("p", []byte("rules:\n- {name: a, match: {}, keep: some}\nminAge: 3\nversion: 7\n"))
	want := `p:2:20: the match of rule "a" is empty: write names: ["**"] for all images
p:2:30: keep of rule "a" is "some": write all, none, or any of last, within and usedWithin
p:3:9: minAge "3" has no unit: write 3h for hours, 3d for days or 3w for weeks
p:4:10: version is "7": only 1 is known`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What names another place is refused as well as that place, so that no text
// grows when it is read.
func TestAliases(t *testing.T) {
	_, err := retention.Parse("p", []byte("version: 1\nprotect:\n  names: &x [a]\n  labels: *x\n"))
	want := "p:3:10: &x names this place for others: write these out instead\np:4:11: *x refers to another place in the file: write out what is meant"
	if fmt.Sprint(err) != want {
		t.Errorf("got\n%v, want\n%s", err, want)
	}
}

func TestFilesOfPatterns(t *testing.T) {
	patterns, err := retention.ParsePatterns("f.txt", []byte("# comment\n\n ghcr.io/acme/** # why\r\nnginx\n"))
	if err != nil || fmt.Sprint(patterns) != "[ghcr.io/acme/** nginx]" {
		t.Errorf("%v, %v", patterns, err)
	}
	_, err = retention.ParsePatterns("f.txt", []byte("a\n  b c\n[x]\n"))
	want := "f.txt:2:3: \"b c\" has white space or control characters: write it without\nf.txt:3:1: \"[x]\" is not a pattern: only * and ** are special, there are no regular expressions"
	if fmt.Sprint(err) != want {
		t.Errorf("got\n%v, want\n%s", err, want)
	}
}

func policySchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	return tw.Must(jsonschema.NewCompiler().Compile("../../../docs/schema/policy.schema.json"))
}

// schemaRefuses says whether the schema, or already YAML, refuses a text as an
// editor reads it.
func schemaRefuses(schema *jsonschema.Schema, text []byte) bool {
	var value any
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&value); err != nil && strings.Contains(err.Error(), "already defined") {
		return false // what a schema would see of it
	} else if err != nil && len(bytes.TrimSpace(text)) > 0 && !strings.Contains(err.Error(), "EOF") {
		return true
	}
	var more any
	if decoder.Decode(&more) == nil {
		return true
	}
	asJSON := tw.Must(json.Marshal(value))
	return schema.Validate(tw.Must(jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)))) != nil
}

// FuzzParse looks for text at which the parser fails, or of which it says
// nothing clear, and for policies that are not the same when written and read
// again.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "broken"} {
		for _, file := range files(f, folder) {
			f.Add(tw.Must(os.ReadFile(file)))
		}
	}
	schema := policySchema(f)
	place := regexp.MustCompile(`^f:\d+:\d+: \S`)
	f.Fuzz(func(t *testing.T, text []byte) {
		policy, err := retention.Parse("f", text)
		if err != nil {
			for _, problem := range err.(interface{ Unwrap() []error }).Unwrap() {
				if !place.MatchString(problem.Error()) {
					t.Errorf("no sentence with a place: %v", problem)
				}
			}
			return
		}
		again := tw.Must(json.Marshal(policy))
		if schemaRefuses(schema, again) {
			t.Errorf("the schema refuses %s", again)
		}
		same, err := retention.Parse("again", again)
		if err != nil || string(tw.Must(json.Marshal(same))) != string(again) {
			t.Errorf("%s\nis another policy when read again: %v", again, err)
		}
	})
}
