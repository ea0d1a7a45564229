package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// paper has a field of every kind.
type paper struct {
	Head
	Action string            `json:"action"`
	Labels map[string]string `json:"labels"`
	Images []sheet           `json:"images"`
	Below  *paper            `json:"below"`
	Raw    json.RawMessage   `json:"raw"`
	Time   time.Time         `json:"time"`
	ID     string
	hidden string //nolint:unused // encoding/json does not read it either
	Never  string `json:"-"`
	Any    any    `json:"any"`
}

// Head is embedded, as is done to share fields.
type Head struct {
	Kind string `json:"kind"`
}

type sheet struct {
	Name string `json:"name"`
}

func TestUnmarshal(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("%q: %d", fmt.Sprint("k", i), i)
	}
	for text, want := range map[string]string{
		`{"action": "keep", "ID": "x", "kind": "plan", "images": [{"name": "a"}, {"name": "b"}], "unknown": {"a": [1, {}, []]}}`: "",
		`{"action": "keep", "Action": "remove"}`:                                           `it has the key "Action", which some programs read as "action"`,
		`{"Action": "remove"}`:                                                             `it has the key "Action", which some programs read as "action"`,
		`{"action": "keep", "action": "remove"}`:                                           `it has the key "action" twice`,
		`{"action": "keep", "\u0061ction": "remove"}`:                                      `it has the key "action" twice`,
		"{\"unknown\xff\": 1, \"unknown\xfe\": 2}":                                         `it has the key "unknown` + "\ufffd" + `" twice`,
		`{"Kind": "plan"}`:                                                                 `it has the key "Kind", which some programs read as "kind"`,
		`{"\u212aind": "plan"}`:                                                            `it has the key "` + "\u212a" + `ind", which some programs read as "kind"`, // the Kelvin sign
		`{"id": "x"}`:                                                                      `it has the key "id", which some programs read as "ID"`,
		`{"images": [{}, {"name": "a", "NAME": "b"}]}`:                                     `it has the key "NAME" in images[1], which some programs read as "name"`,
		`{"below": {"below": {"images": [{"name": "a", "name": "b"}]}}}`:                   `it has the key "name" twice in below.below.images[0]`,
		`{"labels": {"a": "x", "A": "y"}}`:                                                 "", // a map's keys are what they are
		`{"labels": {"a": "x", "b\n\u202e": "y", "a": "z"}}`:                               `it has the key "a" twice in labels`,
		`{"unknown": {"x": 1, "X": 2}, "any": {"y": 1, "Y": 2}}`:                           "",
		`{"unknown": [[{"x": 1, "x": 2}]]}`:                                                `it has the key "x" twice in unknown[0][0]`,
		`{"odd key": {"x": 1, "x": 2}}`:                                                    `it has the key "x" twice in "odd key"`,
		`{"any": {"x": 1, "x": 2}}`:                                                        `it has the key "x" twice in any`,
		`{"raw": {"x": 1, "x": 2}}`:                                                        `it has the key "x" twice in raw`,
		`{"never": 1, "Never": 2, "HIDDEN": 3}`:                                            "",
		`{"labels": null, "images": null, "below": null}`:                                  "",
		`{"unknown": "} ] \" , {", "unknown2": "\\"}`:                                      "",
		`{` + strings.Join(many, ", ") + `}`:                                               "",
		`{` + strings.Join(many, ", ") + `, "k7": 0}`:                                      `it has the key "k7" twice`,
		`{` + strings.Join(many, ", ") + `, "k99": 0}`:                                     `it has the key "k99" twice`,
		`{"unknown": ` + strings.Repeat("[", 199) + strings.Repeat("]", 199) + `}`:         "",
		`{"unknown": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`:       "it is nested deeper than 200 levels",
		`{"any": ` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat("}", 5000) + `}`: "it is nested deeper than 200 levels",
		"  \n": "EOF", "": "EOF", `{"a": [`: "unexpected EOF", `{"a": tru`: "unexpected EOF", `{"a": "\`: "unexpected EOF",
		`{} {}`: "something follows after its end", `{} x`: "something follows after its end",
		`garbage`: "invalid character 'g' looking for beginning of value", `{"action": 3}`: "json: cannot unmarshal number into Go struct field paper.action of type string",
	} {
		var p paper
		err := Unmarshal([]byte(text), &p)
		if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
			t.Errorf("%.80s: got %q, want %q", text, got, want)
		}
		if Ambiguous(err) != (strings.HasPrefix(want, "it ")) {
			t.Errorf("%.80s: Ambiguous of %v is %v", text, err, Ambiguous(err))
		}
	}
}

// What is read is what encoding/json reads.
func TestUnmarshalReads(t *testing.T) {
	const text = `{"kind": "plan", "images": [{"name": "a"}], "labels": {"a": "b"}, "below": {"ID": "x"}, "time": "2026-01-31T00:00:00Z"}`
	var got, want paper
	if err := errors.Join(Unmarshal([]byte(text), &got), json.Unmarshal([]byte(text), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(paper{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var list []sheet
	if err := Unmarshal([]byte(`[{"name": "a"}, {"name": "b"}]`), &list); err != nil || len(list) != 2 {
		t.Errorf("a list: %v, %v", list, err)
	}
	if err := Unmarshal([]byte(`[{"name": "a"}, {"Name": "b"}]`), &list); err == nil || err.Error() != `it has the key "Name" in [1], which some programs read as "name"` {
		t.Errorf("a list: %v", err)
	}
}

// reference says by tokens what the walk says by bytes.
func reference(dec *json.Decoder, known any) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		inner, _ := known.([]any)
		for dec.More() {
			var element any
			if len(inner) > 0 {
				element = inner[0]
			}
			if err := reference(dec, element); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	case json.Delim('{'):
		err = referenceObject(dec, known)
	}
	return err
}

var errReference = errors.New("refused")

func referenceObject(dec *json.Decoder, known any) error {
	fields, isStruct := known.(map[string]any)
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := token.(string)
		if seen[key] {
			return errReference
		}
		seen[key] = true
		inner, exact := fields[key]
		for name := range fields {
			if isStruct && !exact && strings.EqualFold(name, key) {
				return errReference
			}
		}
		if err := reference(dec, inner); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// paperFields are the names of paper's fields, three levels deep.
func paperFields(depth int) map[string]any {
	fields := map[string]any{
		"kind": nil, "action": nil, "labels": nil, "images": []any{map[string]any{"name": nil}},
		"raw": nil, "time": nil, "ID": nil, "any": nil, "below": nil,
	}
	if depth > 0 {
		fields["below"] = paperFields(depth - 1)
	}
	return fields
}

// What is refused is what a slower reader refuses, and what is accepted reads
// the same with keys that are compared exactly.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"action":"keep","Action":"remove"}`, `{"action":"keep","\u0061ction":"remove"}`, `{"images":[{"name":"a","name":"b"}]}`,
		`{"labels":{"a":"1","A":"2"}}`, `{"below":{"below":{"ID":"x","Id":""}}}`, `[{"a":[1,2,{"b":null}]},"\"}"]`, "{\"a\xff\":1,\"a\xfe\":2}",
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"r":1,"s":1,"r":1}`,
	} {
		f.Add([]byte(seed))
	}
	fields := paperFields(maxDepth)
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, plain paper
		err := Unmarshal(text, &got)
		if errors.Is(err, ErrDepth) {
			return
		}
		if perr := json.Unmarshal(text, &plain); perr != nil {
			if err == nil {
				t.Fatalf("%q: encoding/json says %v", text, perr)
			}
			return
		}
		want := reference(json.NewDecoder(strings.NewReader(string(text))), fields)
		if errors.Is(want, io.EOF) || (err == nil) != (want == nil) {
			t.Fatalf("%q: got %v, want %v", text, err, want)
		}
		var exact map[string]any
		if err == nil && json.Unmarshal(text, &exact) == nil && exact != nil {
			if action, _ := exact["action"].(string); action != got.Action {
				t.Fatalf("%q: the action is %q, to others %q", text, got.Action, action)
			}
		}
	})
}

func BenchmarkUnmarshal(b *testing.B) {
	text := []byte(`{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"digest": "sha256:` + strings.Repeat("a", 64) + `", "size": 100}, "layers": [` +
		strings.Repeat(`{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 12345678, "digest": "sha256:`+strings.Repeat("b", 64)+`"}, `, 9) + `{}]}`)
	for name, read := range map[string]func([]byte, any) error{"strict": Unmarshal, "plain": json.Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var p paper
				if err := read(text, &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
