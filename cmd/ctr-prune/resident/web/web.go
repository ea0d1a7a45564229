// Package web tells over HTTP how a resident is. It changes nothing.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Source is what the pages are about.
type Source interface {
	// Live says why the loop does not turn, nil if it does.
	Live() error
	// Ready says why no run could begin, nil if one could.
	Ready() error
	// Status is what is written as JSON.
	Status() any
	// Page returns what writes the page for people, as fresh as it may be. Everywhere
	// says that it is not only for who is on this machine.
	Page(context.Context) func(io.Writer) error
	Everywhere() bool
}

// Handler has the pages.
func Handler(s Source, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", verdict(s.Live))
	mux.Handle("GET /readyz", verdict(s.Ready))
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.MarshalIndent(s.Status(), "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(text, '\n')) // who asked may be gone
	})
	mux.Handle("GET /{$}", guarded(s, page(s)))
	return limited(mux)
}

// page is for people.
func page(s Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write := s.Page(r.Context())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'") // the rest is in the page
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		_ = write(w) // who asked may be gone
	})
}

// guarded keeps a page with names of images from whom it is not meant for: requests that
// do not come over loopback, and those of other sites whose name leads here.
func guarded(s Source, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.Everywhere() && !overLoopback(r) {
			http.Error(w, "this page names images, and is shown only on the machine itself: ask for it at 127.0.0.1, for example through ssh -L or kubectl port-forward, or set serve.page to everywhere", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func overLoopback(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	here, err := netip.ParseAddrPort(at.String())
	if err != nil || !here.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

func verdict(of func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := of(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // who asked may be gone
	})
}

// atOnce bounds how many requests are answered at the same time.
const atOnce = 16

// limited refuses what would be too much at once, and keeps answers from being
// taken for something else by a browser.
func limited(next http.Handler) http.Handler {
	free := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
		default:
			http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// again is how long is waited before an address that is taken is tried again.
const again = 5 * time.Second

// Serve listens on the address until the context ends. While another process has
// the address it is tried again; failed is told why, once. Listening, if not nil, is
// told where.
func Serve(ctx context.Context, address string, handler http.Handler, failed func(error), listening func(net.Addr)) {
	told := false
	for ctx.Err() == nil {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			if listening != nil {
				listening(listener.Addr())
			}
			told = false
			err = serve(ctx, listener, handler)
		}
		if err != nil && !told && ctx.Err() == nil {
			failed(err)
			told = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for an answer then
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
