package cluster

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// server is an API server, or a kubelet, that remembers what it was asked.
type server struct {
	t      *testing.T
	access Access
	asked  []string
	// answers are those of the next questions: a code, or 0 and nothing more.
	answer func(w http.ResponseWriter, r *http.Request)
	bodies []map[string]any
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }}
	web := httptest.NewTLSServer(http.HandlerFunc(s.serve))
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are part of the tests
	t.Cleanup(web.Close)
	account := t.TempDir()
	s.access = Access{URL: web.URL, account: account}
	s.put("token", "secret\n")
	s.put("ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
	return s
}

func (s *server) put(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.access.account, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil && r.Method != http.MethodGet {
		s.t.Error(err)
	}
	s.asked, s.bodies = append(s.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")), append(s.bodies, body)
	s.answer(w, r)
}

var noon = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

// Events are objects that kubectl describe node finds, those of a reason within minutes
// are one that counts, and nothing that could not be sent is lost.
func TestEvents(t *testing.T) {
	s, now := newServer(t), noon
	e := &Events{Access: s.access, Node: "node-1", Now: func() time.Time { return now }}
	tell := func(message string, wantErr string) {
		t.Helper()
		err := e.Tell(t.Context(), Event{Reason: ReasonPruned, Message: message})
		if wantErr == "" && err != nil || !strings.Contains(fmt.Sprint(err), wantErr) {
			t.Errorf("%s: %v", message, err)
		}
	}
	tell("one", "")
	tell("two", "") // a moment later
	if len(s.asked) != 1 {
		t.Fatalf("asked %q", s.asked)
	}
	name := fmt.Sprintf("node-1.%x", noon.UnixNano())
	want := map[string]any{
		"kind": "Event", "apiVersion": "v1", "metadata": map[string]any{"name": name, "namespace": "default"},
		"involvedObject": map[string]any{"kind": "Node", "apiVersion": "v1", "name": "node-1", "uid": "node-1"},
		"reason":         "ImagesPruned", "message": "one", "type": "Normal", "count": 1.0,
		"source": map[string]any{"component": "ctr-prune", "host": "node-1"}, "reportingComponent": "ctr-prune", "reportingInstance": "node-1",
		"firstTimestamp": "2026-01-05T12:00:00Z", "lastTimestamp": "2026-01-05T12:00:00Z",
	}
	if diff := cmp.Diff(want, s.bodies[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	now = noon.Add(gap)
	tell("three", "")
	if diff := cmp.Diff(map[string]any{"count": 3.0, "message": "three", "lastTimestamp": "2026-01-05T12:05:00Z"}, s.bodies[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	now = now.Add(gap)
	tell("four", "500 Internal Server Error")
	// The API server has forgotten it meanwhile.
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusNotFound)
		}
	}
	now = now.Add(gap)
	tell("five", "")
	last := s.bodies[len(s.bodies)-1]
	if last["count"] != 4.0 || last["message"] != "five" || last["firstTimestamp"] != "2026-01-05T12:15:00Z" {
		t.Errorf("sent anew: %v", last)
	}
	path := "/api/v1/namespaces/default/events"
	wantAsked := []string{"POST " + path + " application/json"}
	for range 3 {
		wantAsked = append(wantAsked, "PATCH "+path+"/"+name+" application/merge-patch+json")
	}
	if diff := cmp.Diff(append(wantAsked, "POST "+path+" application/json"), s.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A reason is sent for itself, and a warning is one.
func TestReasonsAreApart(t *testing.T) {
	s := newServer(t)
	e := &Events{Access: s.access, Node: "node-1", Now: func() time.Time { return noon }}
	for _, reason := range []string{ReasonPruned, ReasonUnreached, ReasonFailed} {
		if err := e.Tell(t.Context(), Event{Reason: reason, Message: strings.Repeat("x", 5000), Warning: reason != ReasonPruned}); err != nil {
			t.Error(err)
		}
	}
	for i, kind := range []string{"Normal", "Warning", "Warning"} {
		if got := s.bodies[i]; got["type"] != kind || len(got["message"].(string)) != maxMessage {
			t.Errorf("%v", got)
		}
	}
}

// What can be wrong with a server and with the credentials, each in one sentence. What is
// renewed is read anew.
func TestAccess(t *testing.T) {
	s := newServer(t)
	ask := func(a Access) error {
		return a.do(context.Background(), http.MethodPost, collection, "application/json", map[string]any{}, nil)
	}
	refuses := func(code int, text string) func() Access {
		return func() Access {
			s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = w.Write([]byte(text)) }
			return s.access
		}
	}
	elsewhere := t.TempDir()
	for _, test := range []struct {
		name string
		with func() Access
		want string
	}{
		{"well", refuses(http.StatusOK, "{}"), "<nil>"},
		{"forbidden", refuses(http.StatusForbidden, `{"message":"events is forbidden: User \"x\" cannot create"}`), `"403 Forbidden": events is forbidden: User "x" cannot create`},
		{"unavailable", refuses(http.StatusServiceUnavailable, "busy"), `"503 Service Unavailable"`},
		{"redirected", func() Access {
			s.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
			return s.access
		}, `"302 Found"`},
		{"an expired token", func() Access { s.put("token", "expired"); return s.access }, `"401 Unauthorized"`},
		{"an empty token", func() Access { s.put("token", "\n"); return s.access }, "has no token"},
		{"a renewed token", func() Access { s.put("token", "secret"); return refuses(http.StatusOK, "{}")() }, "<nil>"},
		{"no account", func() Access { a := s.access; a.account = elsewhere; return a }, "reading the token"},
		{"not https", func() Access { a := s.access; a.URL = "http://127.0.0.1:1"; return a }, "is no https URL"},
		{"nobody", func() Access { a := s.access; a.URL = "https://127.0.0.1:1"; return a }, "connection refused"},
		{"an unknown authority", func() Access {
			a := s.access
			a.CAFile, a.TokenFile = filepath.Join(elsewhere, "ca.crt"), filepath.Join(s.access.account, "token")
			return a
		}, "reading the certificate authority"},
		{"no certificate", func() Access { s.put("ca.crt", "-"); return s.access }, "there is no certificate in"},
	} {
		err := ask(test.with())
		if got := fmt.Sprint(err); !strings.Contains(got, test.want) || strings.Contains(got, "\n") || strings.Contains(got, "secret") {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// configz is what a kubelet answers.
func configz(high, low int, more string) string {
	return fmt.Sprintf(`{"kubeletconfig":{"imageGCHighThresholdPercent":%d,"imageGCLowThresholdPercent":%d%s}}`, high, low, more)
}

// The kubelet's marks are compared with those of the policy: what begins before it is a
// sentence that says what to do.
func TestMarks(t *testing.T) {
	eviction := `,"evictionHard":{"imagefs.available":"15%","imagefs.inodesFree":"5%","nodefs.available":"10%"}`
	for name, test := range map[string]struct {
		answer       string
		high, inodes int
		want         []string
	}{
		"our defaults":         {configz(85, 80, eviction), 75, 85, nil},
		"no marks of ours":     {configz(50, 40, eviction), 0, 0, nil},
		"at the kubelet's":     {configz(75, 70, ""), 75, 0, []string{"disk.high is 75%, and the kubelet begins to collect images at 75%"}},
		"above the kubelet's":  {configz(70, 60, ""), 75, 0, []string{"begins to collect images at 70%"}},
		"it never collects":    {configz(100, 99, ""), 90, 0, nil},
		"above the eviction":   {configz(95, 90, eviction), 85, 95, []string{"evicts pods when less than 15%", "disk.inodes.high is 95%"}},
		"an amount":            {configz(95, 90, `,"evictionHard":{"imagefs.available":"10Gi"}`), 90, 0, nil},
		"it removes by age":    {configz(85, 80, `,"imageMaximumGCAge":"24h0m0s"`), 75, 0, []string{"removes what was unused for 24h0m0s"}},
		"it does not do so":    {configz(85, 80, `,"imageMaximumGCAge":"0s"`), 75, 0, nil},
		"eviction of nothing":  {configz(85, 80, `,"evictionHard":{"imagefs.available":"0%"}`), 75, 0, nil},
		"eviction of all sort": {configz(85, 80, `,"evictionHard":{"imagefs.available":"many"}`), 75, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.answer = func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/configz" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				_, _ = w.Write([]byte(test.answer))
			}
			marks, err := Kubelet(t.Context(), s.access)
			if err != nil {
				t.Fatal(err)
			}
			got := marks.Conflicts(test.high, test.inodes)
			for i := range max(len(got), len(test.want)) {
				if i >= len(got) || i >= len(test.want) || !strings.Contains(got[i], test.want[i]) {
					t.Fatalf("conflicts %q, want %q", got, test.want)
				}
			}
		})
	}
}

// An answer that is none is an error.
func TestAnswersWithoutMarks(t *testing.T) {
	for _, text := range []string{"", "<html>", "{}", `{"kubeletconfig":{}}`, `{"kubeletconfig":{"imageGCHighThresholdPercent":85}}`} {
		s := newServer(t)
		s.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
		if marks, err := Kubelet(t.Context(), s.access); err == nil {
			t.Errorf("%q has the marks %+v", text, marks)
		}
	}
}
