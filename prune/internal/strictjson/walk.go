package strictjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// walker goes once through a document that is known to be valid JSON, so it
// looks for the ends of values and for keys only.
type walker struct {
	b  []byte
	at int
	// keys are those of the objects around the place, each after those of the
	// object around it.
	keys [][]byte
}

// value passes over a value that is read into a type; nil is any.
func (w *walker) value(t reflect.Type, depth int) error {
	if depth > maxDepth {
		return ErrDepth
	}
	switch w.next() {
	case '{':
		return w.object(shapeOf(t), depth)
	case '[':
		return w.array(elementOf(t), depth)
	case '"':
		w.text()
	default:
		w.literal()
	}
	return nil
}

// next returns the next byte that is no space, without taking it.
func (w *walker) next() byte {
	for w.at < len(w.b) {
		switch w.b[w.at] {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return w.b[w.at]
		}
	}
	return 0 // never in a valid document
}

// end takes what is between or after elements, and says whether it closes.
func (w *walker) end() bool {
	c := w.next()
	w.at++
	return c == '}' || c == ']' || c == 0
}

func (w *walker) array(element reflect.Type, depth int) error {
	w.at++
	if w.next() == ']' {
		w.at++
		return nil
	}
	for i := 0; ; i++ {
		if err := w.value(element, depth+1); err != nil {
			return within(err, at(i))
		}
		if w.end() {
			return nil
		}
	}
}

func (w *walker) object(s shape, depth int) error {
	w.at++
	if w.next() == '}' {
		w.at++
		return nil
	}
	first := len(w.keys)
	defer func() { w.keys = w.keys[:first] }()
	var many map[string]bool
	for {
		w.next()
		key := w.key()
		if w.twice(first, key, &many) {
			return &KeyError{Key: string(key)}
		}
		w.keys = append(w.keys, key)
		t, err := s.field(key)
		if err != nil {
			return err
		}
		w.next()
		w.at++ // the colon
		if err := w.value(t, depth+1); err != nil {
			return within(err, named(string(key)))
		}
		if w.end() {
			return nil
		}
	}
}

// few is how many keys are compared one by one, which needs no memory.
const few = 16

// twice says whether the object whose keys begin at first has the key already.
func (w *walker) twice(first int, key []byte, many *map[string]bool) bool {
	before := w.keys[first:]
	if len(before) < few {
		for _, k := range before {
			if bytes.Equal(k, key) {
				return true
			}
		}
		return false
	}
	if *many == nil {
		*many = make(map[string]bool, 2*few)
		for _, k := range before {
			(*many)[string(k)] = true
		}
	}
	if (*many)[string(key)] {
		return true
	}
	(*many)[string(key)] = true
	return false
}

// key takes a string and returns what it says. What is written in another way
// may be the same key: escaped, or not in UTF-8, of which encoding/json reads
// every wrong byte as the same character.
func (w *walker) key() []byte {
	quoted, plain := w.text()
	key := quoted[1 : len(quoted)-1]
	if plain && utf8.Valid(key) {
		return key
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return key // never in a valid document
	}
	return []byte(text)
}

// text takes a string with its quotes. Plain says that nothing is escaped.
func (w *walker) text() (quoted []byte, plain bool) {
	from := w.at
	plain = true
	for w.at++; w.at < len(w.b) && w.b[w.at] != '"'; w.at++ {
		if w.b[w.at] == '\\' {
			plain = false
			w.at++
		}
	}
	w.at++
	return w.b[from:w.at], plain
}

// literal takes a number, true, false or null.
func (w *walker) literal() {
	for ; w.at < len(w.b); w.at++ {
		switch w.b[w.at] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return
		}
	}
}
