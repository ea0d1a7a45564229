package docker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"

	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// answers looks at what the Engine says before the client reads it: an answer
// that other programs may read in another way is an error.
type answers struct {
	base *http.Transport
	link *link
}

// RoundTrip implements [http.RoundTripper].
func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.base.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	into := typeOf(request.URL.Path)
	if into == nil {
		return response, nil
	}
	text, err := io.ReadAll(response.Body) // which is bounded by the connection
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if err := strictjson.Unmarshal(text, into); strictjson.Ambiguous(err) {
		a.link.fail(err)
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(text)) // other errors are the client's to tell
	return response, nil
}

// typeOf is what the client will read the answer into, nil if that decides nothing.
func typeOf(at string) any {
	switch dir, base := path.Split(at); {
	case base == "info":
		return new(system.Info)
	case base != "json":
		return nil
	case path.Base(dir) == "containers":
		return new([]container.Summary)
	default:
		return new(container.InspectResponse)
	}
}
