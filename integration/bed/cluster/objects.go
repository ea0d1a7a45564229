package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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

// Delete deletes an object.
func (p *Plane) Delete(path string) {
	p.tb.Helper()
	p.do(http.MethodDelete, path, "application/json", Object{})
}

// Apply creates the objects of a file of several, as kubectl apply does where there are none.
func (p *Plane) Apply(text []byte) {
	p.tb.Helper()
	for _, o := range Objects(p.tb, text) {
		p.Create(o.Collection(), o)
	}
}

// Objects are those of a file.
func Objects(tb testing.TB, text []byte) (all []Object) {
	tb.Helper()
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o Object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, o)
	}
}

// At is what is at a path of an object, nil if nothing is.
func (o Object) At(path ...string) any {
	var found any = o
	for _, key := range path {
		switch inner := found.(type) {
		case Object:
			found = inner[key]
		case map[string]any:
			found = inner[key]
		default:
			return nil
		}
	}
	return found
}

// Collection is where the API server has objects of this kind.
func (o Object) Collection() string {
	path := fmt.Sprintf("/apis/%v", o["apiVersion"])
	if o["apiVersion"] == "v1" {
		path = "/api/v1"
	}
	if namespace := o.At("metadata", "namespace"); namespace != nil {
		path += fmt.Sprintf("/namespaces/%v", namespace)
	}
	return path + "/" + strings.ToLower(fmt.Sprint(o["kind"])) + "s"
}

// Token returns a token of a service account in namespace default.
func (p *Plane) Token(account string) string {
	p.tb.Helper()
	return p.TokenOf("default", account)
}

// TokenOf returns a token of a service account in a namespace.
func (p *Plane) TokenOf(namespace, account string) string {
	p.tb.Helper()
	answer := p.Create("/api/v1/namespaces/"+namespace+"/serviceaccounts/"+account+"/token", Object{"spec": Object{}})
	token, _ := answer.At("status", "token").(string)
	if token == "" {
		p.tb.Fatalf("there is no token for service account %s: %v", account, answer)
	}
	return token
}

// As creates an object as the owner of a token does.
func (p *Plane) As(token, collection string, object Object) Object {
	p.tb.Helper()
	client := *p.admin
	client.Transport = bearer{p.CA.trusting(), token}
	asked := *p
	asked.admin = &client
	return asked.Create(collection, object)
}

// bearer asks with a token.
type bearer struct {
	http.RoundTripper
	token string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
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
