package docker

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
)

// Fault changes an answer of the Engine. The path has no version in it:
// "/info", "/containers/json".
type Fault func(w http.ResponseWriter, r *http.Request, path string, answer []byte)

// Behind serves the Engine's API at another socket, with a fault, for as long
// as the test lasts, and returns the socket.
func (e *Engine) Behind(tb testing.TB, fault Fault) string {
	tb.Helper()
	socket := filepath.Join(tb.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	forward := &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket())
		},
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = "http", "docker"
		answer, err := forward.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for _, header := range []string{"Api-Version", "Content-Type", "Ostype"} {
			w.Header().Set(header, answer.Header.Get(header))
		}
		if answer.StatusCode != http.StatusOK {
			w.WriteHeader(answer.StatusCode)
		}
		path := r.URL.Path
		if strings.HasPrefix(path, "/v") {
			path = path[1+strings.IndexByte(path[1:], '/'):]
		}
		fault(w, r, path, body)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(handler)}}
	server.Start()
	tb.Cleanup(func() { server.Close(); forward.CloseIdleConnections() })
	return socket
}

// OnInfo changes what the Engine says of itself.
func OnInfo(change func(*system.Info)) Fault {
	return func(w http.ResponseWriter, _ *http.Request, path string, answer []byte) {
		if path == "/info" {
			answer = edit(answer, change)
		}
		give(w, answer)
	}
}

// OnList changes the list of containers.
func OnList(change func(*[]container.Summary)) Fault {
	return func(w http.ResponseWriter, _ *http.Request, path string, answer []byte) {
		if path == "/containers/json" {
			answer = edit(answer, change)
		}
		give(w, answer)
	}
}

// give writes an answer. A client that is gone by then is none of the test's
// business.
func give(w http.ResponseWriter, answer []byte) { _, _ = w.Write(answer) }

// edit decodes, changes and encodes an answer. One that does not decode is
// given on as it is.
func edit[T any](answer []byte, change func(*T)) []byte {
	var v T
	if json.Unmarshal(answer, &v) != nil {
		return answer
	}
	change(&v)
	changed, err := json.Marshal(v)
	if err != nil {
		return answer
	}
	return changed
}
