package strictjson

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// KeyError is a key that other programs may read in another way.
type KeyError struct {
	// Key is the key, and Field the field that it is but for its case; empty
	// if the key is there twice.
	Key, Field string
	// In is where the object is in the document, as "images[3].target"; empty for the
	// document itself.
	In string
}

func (e *KeyError) Error() string {
	where := ""
	if e.In != "" {
		where = " in " + e.In
	}
	if e.Field == "" {
		return fmt.Sprintf("it has the key %.80q twice%s", e.Key, where)
	}
	return fmt.Sprintf("it has the key %.80q%s, which some programs read as %q", e.Key, where, e.Field)
}

// ErrDepth is the error for a document that is nested too deep.
var ErrDepth = fmt.Errorf("it is nested deeper than %d levels", maxDepth)

// Ambiguous says whether an error is about a document which is JSON, but of
// which not every reader would read the same.
func Ambiguous(err error) bool {
	var key *KeyError
	return errors.As(err, &key) || errors.Is(err, ErrDepth)
}

// within adds a step to the place of a key, from the inside to the outside.
func within(err error, step string) error {
	key, ok := err.(*KeyError) //nolint:errorlint // it is made here and never wrapped
	if !ok {
		return err
	}
	if key.In != "" && !strings.HasPrefix(key.In, "[") {
		step += "."
	}
	key.In = step + key.In
	return key
}

func at(index int) string { return "[" + strconv.Itoa(index) + "]" }

// named is a key as a step; one that is not plain is quoted, and a long one cut.
func named(key string) string {
	if plain := strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""; plain && len(key) <= 80 {
		return key
	}
	return fmt.Sprintf("%.80q", key)
}
