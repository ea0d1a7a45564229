package main

import (
	"reflect"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Every field of the document has to be in its lines: a list as one line for
// each item, the rest in the summary.
func TestLinesLeaveNothingOut(t *testing.T) {
	summary := reflect.TypeFor[summaryEvent]()
	doc := reflect.TypeFor[prune.Document]()
	for i := range doc.NumField() {
		field := doc.Field(i)
		switch {
		case field.Type.Kind() == reflect.Slice:
			var d prune.Document
			v := reflect.ValueOf(&d).Elem().Field(i)
			v.Set(reflect.MakeSlice(field.Type, 2, 2))
			if n := len(events(d)); n != 3 {
				t.Errorf("two items of %s make %d lines, the summary among them", field.Name, n)
			}
		default:
			if _, ok := summary.FieldByName(field.Name); !ok {
				t.Errorf("%s is not in the summary", field.Name)
			}
		}
	}
}
