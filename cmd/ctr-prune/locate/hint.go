package locate

import (
	"errors"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune"
)

// hinted is an error that says, too, what else could be opened.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// Hint returns what helps against the error, "" if nothing is known to.
func Hint(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

// Hinted adds to the error of opening a store what else could be opened on this machine, and
// where its address is from, if not from the command line.
func (m Machine) Hinted(err error, from string) error {
	var open *prune.OpenError
	if !errors.As(err, &open) {
		return err
	}
	var hints []string
	if from != "" {
		hints = append(hints, "The address is from "+from)
	}
	missing := errdefs.IsNotFound(open.Err) || errdefs.IsUnavailable(open.Err)
	switch {
	case open.Kind == prune.StoreRoot && (errdefs.IsNotFound(open.Err) || errdefs.IsFailedPrecondition(open.Err)):
		hints = append(hints, listed("There is a containerd root at ", "There are containerd roots at ", m.RootsNear(open.Location))...)
	case open.Kind == prune.StoreDaemon && missing:
		hints = append(hints, listed("There is a socket at ", "There are sockets at ", m.Others(open.Location))...)
	}
	if len(hints) == 0 {
		return err
	}
	return &hinted{err, strings.Join(hints, ". ")}
}

// listed begins a sentence that lists paths, if there are any.
func listed(one, several string, paths []string) []string {
	var quoted []string
	for _, path := range paths {
		quoted = append(quoted, strconv.Quote(path))
	}
	switch len(quoted) {
	case 0:
		return nil
	case 1:
		return []string{one + quoted[0]}
	default:
		return []string{several + strings.Join(quoted, ", ")}
	}
}
