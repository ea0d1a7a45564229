package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type source struct {
	live, ready error
	status      func() any
	everywhere  bool
}

func (s source) Live() error  { return s.live }
func (s source) Ready() error { return s.ready }
func (s source) Status() any  { return s.status() }

func (s source) Page(context.Context) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, "<!doctype html>"); return err }
}
func (s source) Everywhere() bool { return s.everywhere }

func ask(h http.Handler, method, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestPages(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	well := Handler(source{status: func() any { return map[string]int{"a": 1} }}, metrics)
	ill := Handler(source{live: errors.New("it is stuck"), ready: errors.New("it waits"), status: func() any { return func() {} }}, metrics)
	open := Handler(source{everywhere: true}, metrics)
	for _, c := range []struct {
		handler      http.Handler
		method, path string
		code         int
		text         string
	}{
		{well, "GET", "/livez", 200, "ok"},
		{well, "HEAD", "/readyz", 200, "ok"},
		{well, "GET", "/metrics", 200, "metrics"},
		{well, "GET", "/status", 200, "{\n  \"a\": 1\n}"},
		{open, "GET", "/", 200, "<!doctype html>"},
		{open, "POST", "/", 405, "Method Not Allowed"},
		{well, "GET", "/index.html", 404, "404 page not found"},
		{well, "POST", "/status", 405, "Method Not Allowed"},
		{well, "DELETE", "/livez", 405, "Method Not Allowed"},
		{well, "PUT", "/metrics", 405, "Method Not Allowed"},
		{ill, "GET", "/livez", 503, "it is stuck"},
		{ill, "GET", "/readyz", 503, "it waits"},
		{ill, "GET", "/status", 500, "json: unsupported type: func()"},
	} {
		if code, text := ask(c.handler, c.method, c.path); code != c.code || text != c.text {
			t.Errorf("%s %s: %d %q", c.method, c.path, code, text)
		}
	}
}

// The page is only for who asks over loopback by a name of loopback, unless the
// configuration says everywhere. A site whose name leads to 127.0.0.1 gets nothing.
func TestWhoSeesThePage(t *testing.T) {
	for _, c := range []struct {
		everywhere bool
		here, host string
		code       int
	}{
		{false, "127.0.0.1:9745", "127.0.0.1:9745", 200},
		{false, "127.0.0.1:9745", "localhost", 200},
		{false, "[::1]:9745", "[::1]:9745", 200},
		{false, "[::ffff:127.0.0.1]:9745", "localhost:9745", 200},
		{false, "127.0.0.1:9745", "evil.example.com:9745", 403},
		{false, "127.0.0.1:9745", "localhost.example.com", 403},
		{false, "127.0.0.1:9745", "", 403},
		{false, "10.1.2.3:9745", "10.1.2.3:9745", 403},
		{false, "10.1.2.3:9745", "localhost", 403},
		{true, "10.1.2.3:9745", "node-1.example.com", 200},
	} {
		at, err := net.ResolveTCPAddr("tcp", c.here)
		if err != nil {
			t.Fatal(err)
		}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		Handler(source{everywhere: c.everywhere}, http.NotFoundHandler()).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, at)))
		if w.Code != c.code || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d, %v", c, w.Code, w.Header())
		}
	}
}

// Who asks too much at once is refused, and those who ask then are answered.
func TestRequestsAtOnce(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := Handler(source{status: func() any { asked <- struct{}{}; <-answer; return 1 }}, http.NotFoundHandler())
	done := make(chan int)
	for range atOnce {
		go func() { code, _ := ask(h, "GET", "/status"); done <- code }()
		<-asked
	}
	if code, _ := ask(h, "GET", "/livez"); code != http.StatusServiceUnavailable {
		t.Errorf("one more got %d", code)
	}
	close(answer)
	for range atOnce {
		if code := <-done; code != http.StatusOK {
			t.Errorf("one got %d", code)
		}
	}
	if code, _ := ask(h, "GET", "/livez"); code != http.StatusOK {
		t.Errorf("the next got %d", code)
	}
}

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	where, done := make(chan net.Addr, 1), make(chan struct{})
	go func() {
		defer close(done)
		Serve(ctx, "127.0.0.1:0", Handler(source{}, http.NotFoundHandler()), func(err error) { t.Error(err) }, func(a net.Addr) { where <- a })
	}()
	addr := (<-where).String()
	answer, err := http.Get("http://" + addr + "/livez")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	_ = answer.Body.Close()

	// Another one on the same address waits, and says so.
	told, gone := make(chan error, 1), make(chan struct{})
	waiting, giveUp := context.WithCancel(context.Background())
	go func() {
		defer close(gone)
		Serve(waiting, addr, http.NotFoundHandler(), func(err error) { told <- err }, nil)
	}()
	if err := <-told; err == nil {
		t.Error("the address is taken twice")
	}
	giveUp()
	<-gone
	cancel()
	<-done
	http.DefaultClient.CloseIdleConnections()
}
