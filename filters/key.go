package filters

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// The keys of filters.
const (
	keyDangling  = "dangling"
	keyUntil     = "until"
	keyBefore    = "before"
	keySince     = "since"
	keyID        = "id"
	keyLabel     = "label"
	keyReference = "reference"
)

// knownKeys is the list that errors show.
const knownKeys = "the filters are dangling=, until=, before=, since=, id=, label=, label!=, reference= and reference!="

// examples are an example of a filter for each key.
var examples = [...]struct{ key, text string }{
	{keyDangling, "dangling=true or dangling=false"},
	{keyUntil, "until=72h or until=2026-01-31"},
	{keyBefore, "before=IMAGE, a name or an ID, such as before=nginx:1.27"},
	{keySince, "since=IMAGE, a name or an ID, such as since=nginx:1.27"},
	{keyID, "id=IMAGE, a name or an ID, or id=A,B for one of several"},
	{keyLabel, "label=KEY, label=KEY=VALUE, label!=KEY or label!=KEY=VALUE"},
	{keyReference, "reference=PATTERN or reference!=PATTERN, such as reference=ghcr.io/*/*, or reference=A,B for one of several"},
}

// example returns an example of a filter with the key, or "" if the key is
// unknown.
func example(key string) string {
	for _, e := range examples {
		if e.key == key {
			return e.text
		}
	}
	return ""
}

// unknownKey is the error for a key that does not exist; it suggests the one
// that was probably meant.
func unknownKey(typed, key string) error {
	instead := knownKeys
	if near := nearestKey(key); near != "" {
		instead = "did you mean " + near + "=? " + knownKeys
	}
	return &Error{Option: optionFilter, What: quote(typed) + " has an unknown key", Instead: instead}
}

// nearestKey returns the known key that key is a misspelling or an abbreviation
// of, with its "!" if that makes sense, or "".
func nearestKey(key string) string {
	word, not := strings.CutSuffix(strings.TrimSpace(key), "!")
	keys := make([]string, len(examples))
	for i, e := range examples {
		keys[i] = e.key
	}
	near := spelling.Nearest(word, keys)
	switch {
	case len(near) == 0:
		return ""
	case not && negatable(near[0]):
		return near[0] + "!"
	}
	return near[0]
}

// negatable reports whether a key may be followed by "!=".
func negatable(key string) bool { return key == keyLabel || key == keyReference }
