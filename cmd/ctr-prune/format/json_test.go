package format

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
)

func TestJSONIsExactAndPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// JSON cannot say what is not UTF-8.
		name := strings.ToValidUTF8(terminaltest.Anything().Draw(t, "name"), "?")
		b, err := Encode(map[string]string{name: name}, rapid.SampledFrom([]string{"", "  "}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			if r, bad := terminaltest.Unprintable(line); bad {
				t.Fatalf("%q has %U in it", line, r)
			}
		}
		var back map[string]string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if back[name] != name {
			t.Fatalf("%q came back as %q", name, back)
		}
	})
}

func TestJSONShowsNamesAsTheyAre(t *testing.T) {
	b, err := Encode([]string{"<none>@sha256", "\u202egnp", "a\u2028b", "🐳", "\U000e0041"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := `["<none>@sha256","\u202egnp","a\u2028b","🐳","\udb40\udc41"]` + "\n"; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
}
