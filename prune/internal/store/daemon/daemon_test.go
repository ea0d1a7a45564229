package daemon

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// daemonTestRefused checks that Open of the address fails with that kind and
// that sentence.
func daemonTestRefused(t *testing.T, address string, kind error, want string, opts ...OpenOption) {
	t.Helper()
	s, err := Open(t.Context(), address, opts...)
	if err == nil {
		_ = s.Close()
		t.Fatalf("Open(%q) succeeded", address)
	}
	var oe *store.OpenError
	if !errors.As(err, &oe) || oe.Kind != store.StoreDaemon {
		t.Errorf("%#v is not an OpenError of a daemon", err)
	}
	if !errors.Is(err, kind) {
		t.Errorf("%v does not match %v", err, kind)
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Open(%q) says\n%s\nand not\n%s", address, err, want)
	}
}

func TestOpenBadAddress(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.sock")
	tests := []struct {
		address string
		kind    error
		want    string
	}{
		{"", errdefs.ErrInvalidArgument, "the address is empty; give the path of its socket"},
		{"unix://", errdefs.ErrInvalidArgument, "the address is empty"},
		{"tcp://10.0.0.1:2375", errdefs.ErrInvalidArgument, "only unix sockets are supported"},
		{"localhost:1234", errdefs.ErrInvalidArgument, "not addresses on a network"},
		{"@containerd", errdefs.ErrInvalidArgument, "not abstract ones"},
		{"/run/a\x00b", errdefs.ErrInvalidArgument, "has a zero byte"},
		{"/" + strings.Repeat("x", 200), errdefs.ErrInvalidArgument, "longer than the 107 bytes"},
		{none, errdefs.ErrNotFound,
			`cannot reach containerd at "` + none + `": no such socket; is containerd running?`},
		{"unix://" + none, errdefs.ErrNotFound, `at "` + none + `": no such socket`},
		{"unix:" + none, errdefs.ErrNotFound, `at "` + none + `": no such socket`},
		{"/run/\x1b[2J.sock", errdefs.ErrNotFound, `"/run/\x1b[2J.sock": no such socket`},
		{file, errdefs.ErrFailedPrecondition, "this is a regular file, not a socket"},
		{dir, errdefs.ErrFailedPrecondition, "this is a directory, not a socket"},
		{file + "/x.sock", errdefs.ErrUnavailable, "the socket cannot be looked at"},
	}
	for _, tt := range tests {
		daemonTestRefused(t, tt.address, tt.kind, tt.want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory now has %v, %v", entries, err)
	}
}

// daemonTestListen serves a socket with handle until the test ends.
func daemonTestListen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return path
}

func TestOpenNotContainerd(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	t.Run("speaks HTTP/1", func(t *testing.T) {
		path := daemonTestListen(t, func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
			_ = c.Close()
		})
		daemonTestRefused(t, path, errdefs.ErrFailedPrecondition, "what answers there is not containerd")
	})
	t.Run("hangs up", func(t *testing.T) {
		path := daemonTestListen(t, func(c net.Conn) { _ = c.Close() })
		daemonTestRefused(t, path, errdefs.ErrFailedPrecondition, "what answers there is not containerd")
	})
	t.Run("never answers", func(t *testing.T) {
		path := daemonTestListen(t, func(c net.Conn) {
			_, _ = io.Copy(io.Discard, c) // until the client hangs up
			_ = c.Close()
		})
		daemonTestRefused(t, path, errdefs.ErrUnavailable, "no answer in time", WithTimeout(100*time.Millisecond))
		daemonTestRefused(t, path, context.DeadlineExceeded, "no answer in time", WithTimeout(100*time.Millisecond))
	})
	t.Run("another gRPC service", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		daemonTestRefused(t, path, errdefs.ErrFailedPrecondition, "what answers there is not containerd")
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Run("stale socket", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.sock")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		daemonTestRefused(t, path, errdefs.ErrUnavailable, "connection refused, nothing listens on this socket")
	})
}

// TestDaemonFailure has the cases that cannot be staged for every user.
func TestDaemonFailure(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "connection error")
	dial := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}
	}
	tests := []struct {
		name       string
		call, dial error
		kind       error
		want       string
	}{
		{"permission", unavailable, dial(syscall.EACCES), errdefs.ErrPermissionDenied,
			"permission denied; run as root, or as a user of the socket's group"},
		{"just removed", unavailable, dial(syscall.ENOENT), errdefs.ErrNotFound, "no such socket"},
		{"a datagram socket", unavailable, dial(syscall.EPROTOTYPE), errdefs.ErrUnavailable, "the connection failed"},
		{"version refused", status.Error(codes.PermissionDenied, "no"), nil, errdefs.ErrFailedPrecondition, "not containerd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := daemonFailure("/run/x.sock", tt.call, tt.dial)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v (%v), want %q", err, errors.Unwrap(err), tt.want)
			}
			if tt.dial != nil && !errors.Is(err, errors.Unwrap(tt.dial)) {
				t.Error("the cause is lost")
			}
		})
	}
}

// TestWithDialOptions has an interceptor answer in place of a server.
func TestWithDialOptions(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	path := daemonTestListen(t, func(c net.Conn) { _ = c.Close() })
	refuse := func(context.Context, string, any, any, *grpc.ClientConn, grpc.UnaryInvoker, ...grpc.CallOption) error {
		return nil // and no version
	}
	daemonTestRefused(t, path, errdefs.ErrFailedPrecondition, "not containerd",
		WithDialOptions(grpc.WithUnaryInterceptor(refuse)))
}

func TestDaemonOwns(t *testing.T) {
	root := t.TempDir()
	content := filepath.Join(root, "io.containerd.content.v1.content")
	if daemonOwns(content, "") || daemonOwns(content, "uuid") {
		t.Error("owns a directory without a UUID beside it")
	}
	dir := filepath.Join(root, "io.containerd.grpc.v1.introspection")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "uuid"), []byte("uuid"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !daemonOwns(content, "uuid") || daemonOwns(content, "other") || daemonOwns(content, "") {
		t.Error("the UUID is not what decides")
	}
	want := []string{"/", "/proc/7/root"}
	if diff := cmp.Diff(want, daemonViews(7)); diff != "" {
		t.Error(diff)
	}
}

func TestStoreBlobFiles(t *testing.T) {
	root := t.TempDir()
	got, err := store.ListBlobFiles(root)
	if err != nil || len(got) != 0 {
		t.Errorf("an empty store: %v, %v", got, err)
	}
	hex := strings.Repeat("0a", 32)
	for _, name := range []string{
		"blobs/sha256/" + hex, "blobs/sha512/" + hex + hex,
		"blobs/sha256/" + strings.ToUpper(hex), "blobs/sha256/" + hex + "0", "blobs/sha256/x.tmp", "blobs/md5/" + hex, "ingest/x/data",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err = store.ListBlobFiles(root)
	if err != nil || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	for d := range got {
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "blobs", "sha384"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ListBlobFiles(root); err == nil {
		t.Error("a file in place of a directory is no error")
	}
	if err := store.StoreBlobsError(fs.ErrPermission); !errdefs.IsUnavailable(err) {
		t.Errorf("permission denied: %v, want unavailable", err)
	}
}

// BenchmarkStoreBlobFiles lists 43,000 blobs; the aim is 100 ms.
func BenchmarkStoreBlobFiles(b *testing.B) {
	root := b.TempDir()
	dir := filepath.Join(root, "blobs", "sha256")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	const n = 43000
	for d := range daemonTestDigests(n) {
		if err := os.WriteFile(filepath.Join(dir, d), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if got, err := store.ListBlobFiles(root); err != nil || len(got) != n {
			b.Fatalf("%d blobs, %v", len(got), err)
		}
	}
}

func daemonTestDigests(n int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(digest.FromString(strconv.Itoa(i)).Encoded()) {
				return
			}
		}
	}
}
