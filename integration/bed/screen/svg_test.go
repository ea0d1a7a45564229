package screen

import (
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// A picture is XML that has the words, their styles, and nothing of what they are made
// of as markup.
func TestSVG(t *testing.T) {
	s := Start(t, exec.CommandContext(t.Context(), "printf", `\033[1mbold\033[0m  \033[31mred <b>&\033[0m`), 40, 5)
	s.Ended()
	picture := s.SVG()
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v:\n%s", err, picture)
		}
	}
	for _, want := range []string{` font-weight="bold">bold</text>`, ` fill="#ff7b72">red &lt;b&gt;&amp;</text>`, `viewBox="0 0 360 42"`} {
		if !strings.Contains(picture, want) {
			t.Errorf("%s is missing:\n%s", want, picture)
		}
	}
}
