package kubelet

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	k8s     = &prune.Namespace{Name: "k8s.io"}
	podText = onePod(`{"containers":[{"name":"app","image":"nginx"}]}`, `{"phase":"Pending"}`)
)

// file writes a file of the test.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// kubelet is a server that wants the token "secret".
func kubelet(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are part of the tests
	t.Cleanup(server.Close)
	return server
}

func lists(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(podText)) }

func authority(t *testing.T, server *httptest.Server) string {
	t.Helper()
	return file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
}

// ask makes a source that finds no service account and asks it.
func ask(t *testing.T, from string, opts Options) ([]prune.Use, error) {
	t.Helper()
	if opts.account == "" {
		opts.account = t.TempDir()
	}
	s, err := New(from, opts)
	if err != nil {
		t.Fatal(err)
	}
	uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: k8s})
	if covered != (err == nil) {
		t.Errorf("covered: %v with error %v", covered, err)
	}
	return uses, err
}

func wantList(t *testing.T, uses []prune.Use, err error) {
	t.Helper()
	if err != nil || len(uses) != 1 || uses[0].Image != "nginx" {
		t.Errorf("got %+v, %v", uses, err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	} else if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q is no sentence for a user", err)
	}
}

func wantCode(t *testing.T, err error, want prune.Code) {
	t.Helper()
	if got := prune.CodeOf(err); got != want {
		t.Errorf("the code of %v is %q, want %q", err, got, want)
	}
}

func TestFetch(t *testing.T) {
	server := kubelet(t, lists)
	token, ca := file(t, "secret\n"), authority(t, server)

	uses, err := ask(t, server.URL+"/pods", Options{TokenFile: token, CAFile: ca})
	wantList(t, uses, err)
	uses, err = ask(t, server.URL+"/pods", Options{TokenFile: token, Insecure: true})
	wantList(t, uses, err)

	_, err = ask(t, server.URL+"/pods", Options{TokenFile: token})
	wantError(t, err, "certificate signed by unknown authority")
	wantCode(t, err, "pods-certificate")
	_, err = ask(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)+"/pods", Options{TokenFile: token, CAFile: ca})
	wantError(t, err, `its certificate is for ["example.com" "*.example.com" "127.0.0.1" "::1"] and not for "localhost": use one of its names`)
	wantCode(t, err, "pods-certificate")
	_, err = ask(t, server.URL+"/pods", Options{CAFile: ca})
	wantError(t, err, "401 Unauthorized")
	_, err = ask(t, server.URL+"/pods", Options{CAFile: ca, TokenFile: file(t, "wrong")})
	wantError(t, err, "401 Unauthorized")
	_, err = ask(t, server.URL+"/pods", Options{CAFile: ca, TokenFile: file(t, " \n")})
	wantError(t, err, "is empty")
	_, err = ask(t, server.URL+"/pods", Options{CAFile: ca, TokenFile: "/nonexistent"})
	wantError(t, err, "no such file")
	_, err = ask(t, server.URL+"/pods", Options{CAFile: token, TokenFile: token})
	wantError(t, err, "there is no certificate")
}

func TestServiceAccountOfAPod(t *testing.T) {
	server := kubelet(t, lists)
	account := t.TempDir()
	for name, from := range map[string]string{"token": file(t, "secret"), "ca.crt": authority(t, server)} {
		if err := os.Rename(from, filepath.Join(account, name)); err != nil {
			t.Fatal(err)
		}
	}
	uses, err := ask(t, server.URL+"/pods", Options{account: account})
	wantList(t, uses, err)
}

func TestTokenIsNotSentOverHTTP(t *testing.T) {
	account := t.TempDir()
	if err := os.WriteFile(filepath.Join(account, "token"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went over http")
		}
		lists(w, r)
	}))
	defer server.Close()
	uses, err := ask(t, server.URL+"/pods", Options{account: account})
	wantList(t, uses, err)
}

func TestAnswersThatAreNoList(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"forbidden":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "403 Forbidden"},
		"not found":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404 Not Found"},
		"elsewhere":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "redirects are not followed"},
		"ok, but nothing": {func(http.ResponseWriter, *http.Request) {}, "it is empty"},
		"ok, but a page":  {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "not a list of pods"},
		"half a list":     {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(podText[:90])) }, "in the middle of the list"},
		"a broken line": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9999")
			lists(w, r)
		}, "unexpected EOF"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(strings.Repeat(" ", 3000))) }, "longer than 2000 bytes"},
		"never":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within"},
	} {
		t.Run(name, func(t *testing.T) {
			server := kubelet(t, test.answer)
			timeout := time.Minute
			if name == "never" {
				timeout = 50 * time.Millisecond
			}
			_, err := ask(t, server.URL, Options{
				TokenFile: file(t, "secret"), CAFile: authority(t, server), Timeout: timeout, limit: 2000,
			})
			wantError(t, err, test.want)
		})
	}
}

func TestGone(t *testing.T) {
	server := kubelet(t, lists)
	server.Close()
	_, err := ask(t, server.URL, Options{Insecure: true})
	wantError(t, err, "connection refused")
	s, err := New(server.URL, Options{account: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = s.Uses(ctx, prune.Asked{Namespace: k8s})
	wantError(t, err, "context canceled")
}

func TestFile(t *testing.T) {
	uses, err := ask(t, file(t, podText), Options{})
	wantList(t, uses, err)
	_, err = ask(t, "/nonexistent/pods.json", Options{})
	wantError(t, err, `file "/nonexistent/pods.json": no such file`)
	_, err = ask(t, t.TempDir(), Options{})
	wantError(t, err, "is a directory")
	_, err = ask(t, file(t, podText), Options{limit: 20})
	wantError(t, err, "longer than 20 bytes")
	_, err = ask(t, file(t, "apiVersion: v1\nkind: PodList\n"), Options{})
	wantError(t, err, "not a list of pods in JSON")
}

// A file that others may have written decides nothing.
func TestFileOfOthers(t *testing.T) {
	path := file(t, podText)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := ask(t, path, Options{})
	wantError(t, err, "every user may write to this file, its mode is 0666")
	wantError(t, err, "remove that permission with chmod o-w")
	if code := prune.CodeOf(err); code != "pods-file-untrusted" {
		t.Errorf("the code is %q", code)
	}
	uses, err := ask(t, path, Options{InsecureFile: true})
	wantList(t, uses, err)
	if os.Geteuid() != 0 {
		return // only root can give files away
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, 4711, 4711)); err != nil {
		t.Fatal(err)
	}
	_, err = ask(t, path, Options{Owner: 4712})
	wantError(t, err, "this file belongs to user 4711")
	uses, err = ask(t, path, Options{Owner: 4711})
	wantList(t, uses, err)
}

// A run asks before the plan and after it, and a pipe answers once.
func TestPipeIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte(podText), 0) }()
	s, err := New(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		uses, _, err := s.Uses(t.Context(), prune.Asked{Namespace: k8s})
		wantList(t, uses, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestOtherNamespacesAreNotCovered(t *testing.T) {
	s, err := New("/nonexistent", Options{})
	if err != nil {
		t.Fatal(err)
	}
	uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: "moby"}})
	if uses != nil || covered || err != nil {
		t.Errorf("got %v, %v, %v", uses, covered, err)
	}
}

func TestOptionsThatContradict(t *testing.T) {
	for name, test := range map[string]struct {
		from string
		opts Options
		want string
	}{
		"nothing":          {"", Options{}, "neither a URL nor a file"},
		"another scheme":   {"ftp://node/pods", Options{}, "neither an http nor an https URL"},
		"no host":          {"https:///pods", Options{}, "names no host"},
		"no URL":           {"https://[::1/pods", Options{}, "is not a URL"},
		"a password":       {"https://me:secret@node/pods", Options{}, "use a token file"},
		"token over http":  {"http://node/pods", Options{TokenFile: "x"}, "need https"},
		"token for a file": {"pods.json", Options{TokenFile: "x"}, "is a file"},
		"half a pair":      {"https://node/pods", Options{CertFile: "x"}, "must be given together"},
		"check or not":     {"https://node/pods", Options{CAFile: "x", Insecure: true}, "contradict"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(test.from, test.opts)
			wantError(t, err, test.want)
			if s != nil {
				t.Errorf("there is a source all the same: %v", s)
			}
		})
	}
}
