package kubelet

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// apiserver is a server with the pods of a cluster, in the pod whose service account
// is returned.
func apiserver(t *testing.T, answer http.HandlerFunc) (url, account string) {
	t.Helper()
	server := kubelet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/pods" || r.URL.Query().Get("fieldSelector") != "spec.nodeName=node-1" {
			t.Errorf("asked for %s", r.URL)
		}
		answer(w, r)
	})
	account = t.TempDir()
	for name, from := range map[string]string{"token": file(t, "secret"), "ca.crt": authority(t, server)} {
		if err := os.Rename(from, filepath.Join(account, name)); err != nil {
			t.Fatal(err)
		}
	}
	return server.URL + "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1", account
}

// listOf is a list of pods of some nodes.
func listOf(meta string, nodes ...string) string {
	var items []string
	for i, node := range nodes {
		items = append(items, fmt.Sprintf(`{"metadata":{"namespace":"default","name":"p%d"},"spec":{"nodeName":%q,"containers":[{"name":"app","image":"nginx"}]}}`, i, node))
	}
	return fmt.Sprintf(`{"kind":"PodList","apiVersion":"v1","metadata":{%s},"items":[%s]}`, meta, strings.Join(items, ","))
}

// The list of an API server is read with the service account of the pod; whatever is
// wrong with it leaves k8s.io alone, with one sentence.
func TestAPIServer(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	list := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string // "" if it is believed
	}{
		"whole":             {list(listOf(`"resourceVersion":"7"`, "node-1")), ""},
		"unauthorized":      {status(http.StatusUnauthorized), `401 Unauthorized": give a token that is accepted there and has not expired`},
		"forbidden":         {status(http.StatusForbidden), `403 Forbidden": the token's account needs the right to list pods in all namespaces`},
		"too many requests": {status(http.StatusTooManyRequests), "429 Too Many Requests"},
		"internal error":    {status(http.StatusInternalServerError), "500 Internal Server Error"},
		"unavailable":       {status(http.StatusServiceUnavailable), "503 Service Unavailable"},
		"first page":        {list(listOf(`"continue":"abc","remainingItemCount":3`, "node-1")), "only the first page"},
		"a page is left":    {list(listOf(`"remainingItemCount":1`, "node-1")), "only the first page"},
		"empty":             {list(listOf("")), "the list is empty"},
		"of another node":   {list(listOf("", "node-2")), `it is the list of another node, or of several`},
		"of several nodes":  {list(listOf("", "node-1", "node-2")), `has pod "default/p1" of node "node-2"`},
		"not scheduled":     {list(listOf("", "")), `of node ""`},
		"a status":          {list(`{"kind":"Status","apiVersion":"v1","status":"Failure"}`), `its kind is "Status"`},
		"a table":           {list(`{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[]}`), `its kind is "Table"`},
	} {
		t.Run(name, func(t *testing.T) {
			url, account := apiserver(t, test.answer)
			uses, err := ask(t, url, Options{account: account})
			if test.want == "" {
				wantList(t, uses, err)
				return
			}
			wantError(t, err, test.want)
			if len(uses) > 0 {
				t.Errorf("uses %v", uses)
			}
		})
	}
}

// A token and an authority that were replaced are read anew.
func TestRotatedCredentials(t *testing.T) {
	url, account := apiserver(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(listOf("", "node-1"))) })
	s, err := New(url, Options{account: account})
	if err != nil {
		t.Fatal(err)
	}
	token, ca := filepath.Join(account, "token"), filepath.Join(account, "ca.crt")
	right, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ path, text, want string }{
		{token, "expired", "401 Unauthorized"}, {token, "secret\n", ""},
		{ca, "", "there is no certificate"}, {ca, string(right), ""},
	} {
		if err := os.WriteFile(step.path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		uses, _, err := s.Uses(t.Context(), prune.Asked{Namespace: k8s})
		if step.want == "" {
			wantList(t, uses, err)
		} else {
			wantError(t, err, step.want)
		}
	}
}
