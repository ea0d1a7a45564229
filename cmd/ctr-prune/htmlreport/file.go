package htmlreport

import (
	"io"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
)

// WriteFile writes the page to a file that only its owner may read, for it
// tells what runs on the machine. See [privatefile.Write].
func WriteFile(path string, page Page) error {
	return privatefile.Write(path, func(w io.Writer) error { return Write(w, page) })
}
