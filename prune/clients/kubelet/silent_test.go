package kubelet

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Every file that a user names may be a pipe that nobody writes to: asking ends
// with the context.
func TestSilentPipes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	server := kubelet(t, lists)
	for name, c := range map[string]struct {
		from string
		opts Options
	}{
		"list":        {from: pipe},
		"token":       {from: server.URL, opts: Options{TokenFile: pipe}},
		"authority":   {from: server.URL, opts: Options{TokenFile: file(t, "secret"), CAFile: pipe}},
		"certificate": {from: server.URL, opts: Options{TokenFile: file(t, "secret"), CertFile: pipe, KeyFile: pipe}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(c.from, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error)
			go func() {
				_, _, err := s.Uses(ctx, prune.Asked{Namespace: k8s})
				result <- err
			}()
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}
