package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Object is an object of the API, in its JSON.
type Object map[string]any

// Create creates an object in a collection, such as
// /api/v1/namespaces/default/pods, and returns what the API server answers.
func (p *Plane) Create(collection string, object Object) Object {
	p.tb.Helper()
	return p.do(http.MethodPost, collection, "application/json", object)
}

// Get returns an object, or a list of them.
func (p *Plane) Get(path string) Object {
	p.tb.Helper()
	return p.do(http.MethodGet, path, "application/json", nil)
}

// Patch merges fields into an object.
func (p *Plane) Patch(path string, fields Object) Object {
	p.tb.Helper()
	return p.do(http.MethodPatch, path, "application/strategic-merge-patch+json", fields)
}

// Token returns a token of a service account in namespace default.
func (p *Plane) Token(account string) string {
	p.tb.Helper()
	answer := p.Create("/api/v1/namespaces/default/serviceaccounts/"+account+"/token", Object{"spec": Object{}})
	status, _ := answer["status"].(map[string]any)
	token, _ := status["token"].(string)
	if token == "" {
		p.tb.Fatalf("there is no token for service account %s: %v", account, answer)
	}
	return token
}

// do fails the test unless the API server does what it is asked for.
func (p *Plane) do(method, path, contentType string, object Object) (answer Object) {
	p.tb.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		p.tb.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.tb.Context(), method, p.URL+path, bytes.NewReader(text))
	if err != nil {
		p.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := p.admin.Do(request)
	if err != nil {
		p.tb.Fatalf("asking the API server: %v", err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s", response.Status, said)
	}
	if err == nil {
		err = json.Unmarshal(said, &answer)
	}
	if err != nil {
		p.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}
