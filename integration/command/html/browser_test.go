package html

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

var shots = flag.String("shots", "", "write pictures of the pages to this folder")

// session is one page open in a browser of its own.
type session struct {
	*testing.T
	ctx  context.Context
	path string
	mu   sync.Mutex
	// complaints are console errors, exceptions, and requests other than for
	// the file itself.
	complaints []string
}

// open writes a page to a file and opens it. When the test ends, the browser
// must have had nothing to complain about.
func open(t *testing.T, page htmlreport.Page, actions ...action) *session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := privatefile.Write(path, func(w io.Writer) error { return htmlreport.Write(w, page) }); err != nil {
		t.Fatal(err)
	}
	return openFile(t, path, actions...)
}

// openFile opens a page that is written.
func openFile(t *testing.T, path string, actions ...action) *session {
	t.Helper()
	s := &session{T: t, path: path}
	s.start()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, complaint := range s.complaints {
			t.Error(complaint)
		}
	})
	call(s, cdplog.Enable, cdp.Empty{})
	call(s, runtime.Enable, cdp.Empty{})
	call(s, network.Enable, network.EnableParams{})
	s.run(append([]action{chromedp.EmulateViewport(1280, 900)}, actions...)...)
	s.run(chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String()))
	s.wait(`performance.getEntriesByName("ready").length === 1`)
	return s
}

// starts is how often a browser is started that does not come up, as where it
// has too little time.
const starts = 3

// start starts the browser of the session.
func (s *session) start() {
	s.Helper()
	for try := 1; ; try++ {
		s.ctx = browser(s.T)
		err := chromedp.Listen(s.ctx, s.listen)
		if err == nil {
			return
		}
		if try == starts {
			s.Fatalf("starting the browser %d times: %v", try, err)
		}
		s.Logf("starting the browser: %v", err)
	}
}

// browser starts a Chromium with a profile of its own and no network to use.
func browser(t *testing.T) context.Context {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), parts.Chromium)
	if errors.Is(err, parts.ErrUnavailable) {
		t.Skipf("not run: the page was not tested in a browser: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(paths.Bin(parts.Chromium, "chromium")), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Env("TMPDIR=" + dir), // it leaves what it makes there when it is ended
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to be root in a sandbox
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	// Ending the context ends the browser, one that hangs too.
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// shortDir is a temporary folder whose path leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func describe(e *runtime.ExceptionDetails) string {
	if e.Exception != nil && e.Exception.Description != "" {
		return e.Exception.Description
	}
	return e.Text
}

func (s *session) listen(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		s.complaints = append(s.complaints, "exception: "+describe(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			s.complaints = append(s.complaints, "console: "+string(e.Args[0].Value))
		}
	case *cdplog.EventEntryAdded:
		s.complaints = append(s.complaints, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, "file://") && !strings.HasPrefix(u, "data:") {
			s.complaints = append(s.complaints, "request for "+u)
		}
	}
}

type action = chromedp.Action[chromedp.Void]

func (s *session) run(actions ...action) {
	s.Helper()
	if err := chromedp.Do(s.ctx, actions...); err != nil {
		s.Fatal(err)
	}
}

// call runs one command of the browser's protocol.
func call[P, R any](s *session, command cdp.Command[P, R], params P) R {
	s.Helper()
	result, err := chromedp.Call(s.ctx, command, params)
	if err != nil {
		s.Fatal(err)
	}
	return result
}

// wait waits until an expression is true.
func (s *session) wait(expression string) {
	s.Helper()
	promise := `new Promise((done) => { const look = () => (` + expression + `) ? done(true) : requestAnimationFrame(look); look(); })`
	if _, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](promise, chromedp.EvalAwaitPromise)); err != nil {
		s.Fatalf("waiting for %s: %v", expression, err)
	}
}

// eval returns the value of an expression.
func eval[T any](s *session, expression string) T {
	s.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		s.Fatalf("evaluating %s: %v", expression, err)
	}
	return v
}

// do runs a statement in the page.
func (s *session) do(statement string) {
	s.Helper()
	s.run(chromedp.Evaluate[chromedp.Void](statement))
}
