package main

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// templateScope says whether a template is about the document rather than
// about each image. A field that neither has is a usage error.
func templateScope(root *parse.ListNode) (whole bool, err error) {
	rows, docs := rowFields(), documentFields()
	for _, field := range rootFields(root) {
		switch {
		case slices.Contains(rows, field):
		case slices.Contains(docs, field):
			whole = true
		default:
			return false, noField(field)
		}
	}
	if !whole {
		return false, nil
	}
	for _, field := range rootFields(root) {
		if !slices.Contains(docs, field) {
			return false, usagef("--format: .%s is a field of an image, so it cannot stand beside those of the document: use {{range .Images}}", field)
		}
	}
	return true, nil
}

func noField(field string) error {
	return usagef("--format: there is no field .%s; an image has %s; the document has %s",
		field, dotted(rowFields()), dotted(documentFields()))
}

func rowFields() []string      { return fieldsOf(reflect.TypeFor[imageRow]()) }
func documentFields() []string { return fieldsOf(reflect.TypeFor[prune.Document]()) }

func fieldsOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Name)
	}
	return names
}

func dotted(names []string) string { return "." + strings.Join(names, ", .") }

// unknownField is what text/template says of a field that does not exist.
var unknownField = regexp.MustCompile(`can't evaluate field (\w+) in type (?:\[\])?\*?(?:\w+\.)?(\w+)`)

// templateProblem says what is wrong with a template, without the name that
// text/template knows it by.
func templateProblem(err error) string {
	text := err.Error()
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return "there is no field ." + m[1] + " in " + m[2]
	}
	text = strings.TrimPrefix(text, "template: format:")
	return strings.ReplaceAll(text, `executing "format" at `, "at ")
}

// exampleDocuments are what templates are tried on: every list has an entry.
func exampleDocuments() []prune.Document {
	dgst := digest.FromString("example")
	record := func(name string) prune.Record {
		return prune.Record{Namespace: defaultNamespace, Name: name, Target: dgst}
	}
	image := func(action prune.Action) prune.ImageDocument {
		return prune.ImageDocument{Record: record("docker.io/library/" + string(action) + ":1"), Action: action, Reason: "unused", Details: []string{"a detail"}}
	}
	plan := prune.Document{
		SchemaVersion: prune.DocumentSchema, Kind: prune.DocumentPlan,
		Store: prune.StoreInfo{Snapshotters: []string{"native"}},
		Policy: prune.PolicyDocument{
			Namespaces: []string{defaultNamespace}, Filters: []string{"dangling=true"}, DanglingPrefixes: []string{"x"},
		},
		Images:  []prune.ImageDocument{image(prune.Remove), image(prune.StandIn), image(prune.Keep)},
		Uploads: []prune.Upload{{Ref: "an upload"}}, Dropped: []prune.Skip{{}},
		Held:       []prune.Held{{Digest: dgst}},
		Unfinished: []string{defaultNamespace}, Notes: []string{"a note"}, Refused: []prune.Refusal{{}},
		Elsewhere: []prune.NamespaceCount{{Namespace: "k8s.io", Images: 1}},
	}
	report := plan
	report.Kind = prune.DocumentReport
	report.Untagged, report.Deleted, report.Grace = []string{"remove"}, []string{dgst.String()}, &prune.Grace{}
	report.Aborted = plan.Uploads
	report.Removed = []prune.Record{record("docker.io/library/remove:1")}
	report.Freed = []prune.DeletedDocument{{Digest: dgst}}
	report.Skipped, report.Restored = []prune.Skip{{Record: record("skip")}}, []prune.Restored{{}}
	report.Recovered = []prune.Recovered{{}}
	report.Changes, report.Errors = []string{"a change"}, []string{"an error"}
	return []prune.Document{plan, report}
}
