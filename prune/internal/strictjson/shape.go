package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// shape is what is known of an object by the type that it is read into.
type shape struct {
	// fields are those of a struct; nil if the object is none.
	fields []field
	// element is the type of all values of a map.
	element reflect.Type
}

type field struct {
	name []byte
	typ  reflect.Type
}

// shapes keeps what reflection tells of a type, which is always the same.
var shapes sync.Map // of reflect.Type to shape

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// plain looks through pointers. A type that reads its JSON itself, as
// [json.RawMessage], may take any: nil.
func plain(t reflect.Type) reflect.Type {
	for t != nil {
		if p := reflect.PointerTo(t); p.Implements(unmarshaler) || p.Implements(textUnmarshaler) {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
}

func elementOf(t reflect.Type) reflect.Type {
	if t = plain(t); t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return t.Elem()
	}
	return nil
}

func shapeOf(t reflect.Type) shape {
	if t == nil {
		return shape{}
	}
	if known, ok := shapes.Load(t); ok {
		return known.(shape)
	}
	var s shape
	switch p := plain(t); {
	case p == nil:
	case p.Kind() == reflect.Map:
		s.element = p.Elem()
	case p.Kind() == reflect.Struct:
		s.fields = fieldsOf(p)
	}
	shapes.Store(t, s)
	return s
}

// fieldsOf lists the fields of a struct as encoding/json sees them: those of an
// embedded struct come after its own and do not replace them.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	known := make(map[string]bool)
	visited := make(map[reflect.Type]bool)
	for level := []reflect.Type{t}; len(level) > 0; {
		var below []reflect.Type
		for _, t := range level {
			if visited[t] {
				continue
			}
			visited[t] = true
			for i := range t.NumField() {
				f := t.Field(i)
				name, embedded := nameOf(f)
				if embedded != nil {
					below = append(below, embedded)
				} else if name != "" && !known[name] {
					known[name] = true
					fields = append(fields, field{[]byte(name), f.Type})
				}
			}
		}
		level = below
	}
	return fields
}

// nameOf returns the name of a field in JSON, or the struct that it embeds. Both
// are empty for one that is not read.
func nameOf(f reflect.StructField) (name string, embedded reflect.Type) {
	tag := f.Tag.Get("json")
	name, _, _ = strings.Cut(tag, ",")
	if f.Anonymous && name == "" {
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct {
			return "", t
		}
	}
	switch {
	case tag == "-" || !f.IsExported():
		return "", nil
	case name == "":
		return f.Name, nil
	}
	return name, nil
}

// field returns the type of the value of a key, nil if it is not known. The
// error is a [*KeyError].
func (s shape) field(key []byte) (reflect.Type, error) {
	if s.fields == nil {
		return s.element, nil
	}
	for _, f := range s.fields {
		if bytes.Equal(f.name, key) {
			return f.typ, nil
		}
	}
	for _, f := range s.fields {
		if bytes.EqualFold(f.name, key) {
			return nil, &KeyError{Key: string(key), Field: string(f.name)}
		}
	}
	return nil, nil
}
