package resident

import (
	"bytes"
	"net/http"
)

// response collects an answer.
type response struct {
	header http.Header
	text   bytes.Buffer
}

func (r *response) Header() http.Header         { return r.header }
func (r *response) Write(p []byte) (int, error) { return r.text.Write(p) }
func (r *response) WriteHeader(int)             {}

func request() *http.Request { return &http.Request{Method: http.MethodGet} }
