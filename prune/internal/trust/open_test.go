package trust_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A pipe to which nobody writes ends with the context, whether somebody has
// opened it or not.
func TestOpenSilentPipe(t *testing.T) {
	for _, opened := range []bool{false, true} {
		path := fifo(t)
		ctx, cancel := context.WithCancel(t.Context())
		f, err := trust.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if opened {
			w, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
		}
		result := make(chan error)
		go func() {
			_, err := io.ReadAll(f)
			result <- err
		}()
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("opened by a writer: %t: got %v", opened, err)
		}
	}
}

// A pipe is read to its end, also if its writer comes later than its reader.
func TestOpenPipe(t *testing.T) {
	for _, text := range []string{"", "all of it", strings.Repeat("more than a pipe holds ", 10_000)} {
		path := fifo(t)
		f, err := trust.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		wrote := make(chan error)
		go func() { wrote <- os.WriteFile(path, []byte(text), 0) }()
		got, err := io.ReadAll(f)
		if string(got) != text || err != nil {
			t.Errorf("%d bytes: got %d, %v", len(text), len(got), err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := trust.ReadFile(t.Context(), path, 4); string(got) != "text" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for path, want := range map[string]error{path: syscall.EFBIG, "/dev/zero": syscall.EFBIG, path + "-absent": os.ErrNotExist, filepath.Dir(path): syscall.EISDIR} {
		if _, err := trust.ReadFile(t.Context(), path, 3); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trust.ReadFile(ended, path, 4); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
