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

// answers checks what the Engine returns before the client parses it: JSON that
// other parsers may read differently is an error.
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
	text, err := io.ReadAll(response.Body) // the connection limits its length
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if err := strictjson.Unmarshal(text, into); strictjson.Ambiguous(err) {
		a.link.fail(err)
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(text)) // the client reports other errors itself
	return response, nil
}

// typeOf is the type that the client will parse the answer into, or nil if no
// decision depends on the answer.
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
