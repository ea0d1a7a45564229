package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
)

// maxDepth is how deep arrays and objects may be nested. Manifests, pods and
// the answers of daemons have less than twenty levels.
const maxDepth = 200

// ErrTrailing is the error for a document after which there is more.
var ErrTrailing = errors.New("something follows after its end")

// Unmarshal reads one JSON document, as [json.Unmarshal] does. It is an error
// if an object at any depth has a key twice, or if a key is that of a field but for its case. A
// text that is empty or cut off gives [io.EOF] or [io.ErrUnexpectedEOF]. After
// an error, into may hold anything.
func Unmarshal(b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return because(b, err)
	}
	return check(b, reflect.TypeOf(into))
}

// because tells a text that ends early, or late, from one that is no JSON.
func because(b []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	var value json.RawMessage
	switch early := json.NewDecoder(bytes.NewReader(b)).Decode(&value); {
	case errors.Is(early, io.EOF), errors.Is(early, io.ErrUnexpectedEOF):
		return early
	case early == nil:
		return ErrTrailing
	default:
		return err
	}
}

// check looks at the keys of a valid document that was read into a type.
func check(b []byte, t reflect.Type) error {
	w := &walker{b: b}
	return w.value(t, 0)
}
