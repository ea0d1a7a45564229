package spelling

import (
	"slices"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	words := []string{"all", "all-namespaces", "dry-run", "force", "format", "keep-last", "keep-within", "until", "used-within", "pods", "pods-token-file", "pods-client-key", "no-guard", "no-trunc", "sort", "yes", "runs"}
	for typed, want := range map[string]string{
		"dry-rum": "dry-run", "dryrun": "dry-run", "DRY_RUN": "dry-run", "dr-yrun": "dry-run", "dry-runn": "dry-run",
		"frce": "force", "forse": "force", "ofrce": "force", "foramt": "format", "untl": "until", "al": "all", "sotr": "sort", "yess": "yes",
		"pod":     "pods", // the nearest, not all that begin so
		"all-na":  "all-namespaces",
		"no":      "no-guard no-trunc",
		"keep":    "keep-last keep-within",
		"colour":  "",
		"x":       "",
		"rust":    "", // half of it is wrong, for example for runs
		"":        "",
		"zz":      "",
		"pods-x":  "pods",
		"verbose": "",
		// Nobody waits for what is no misspelling, however long.
		strings.Repeat("dry-run", 1<<16): "",
	} {
		if got := strings.Join(Nearest(typed, words), " "); got != want {
			t.Errorf("%.20q: got %q, want %q", typed, got, want)
		}
	}
	if got := Nearest("a", []string{"ab", "ac"}); got != nil {
		t.Errorf("a letter means %q", got)
	}
	if got := Nearest("ab", []string{"abc", "abd", "abe", "abf"}); got != nil {
		t.Errorf("any could be meant, yet it is %q", got)
	}
}

func TestHint(t *testing.T) {
	words := []string{"json", "jsonl", "table"}
	for typed, want := range map[string]string{
		"jsn": "did you mean --json? ", "jsonk": "did you mean --json or --jsonl? ", "yaml": "",
	} {
		if got := Hint(typed, "--", words); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
	if !slices.Equal(words, []string{"json", "jsonl", "table"}) {
		t.Errorf("the words have changed: %q", words)
	}
}
