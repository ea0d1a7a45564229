package filters

import "strings"

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
	word, not := strings.CutSuffix(strings.ToLower(strings.TrimSpace(key)), "!")
	word = strings.TrimSpace(word)
	if len(word) < 3 || len(word) > 2*len(keyReference) {
		return ""
	}
	for _, e := range examples {
		if !strings.HasPrefix(e.key, word) && distance(word, e.key) > 2 {
			continue
		}
		if not && negatable(e.key) {
			return e.key + "!"
		}
		return e.key
	}
	return ""
}

// negatable reports whether a key may be followed by "!=".
func negatable(key string) bool { return key == keyLabel || key == keyReference }

// distance is the number of single-byte edits between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
