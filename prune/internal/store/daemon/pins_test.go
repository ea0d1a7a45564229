package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// statusConn answers CRI's status with a configuration.
type statusConn struct {
	grpc.ClientConnInterface
	config string
}

func (c statusConn) Invoke(_ context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	if method != "/runtime.v1.RuntimeService/Status" {
		return errors.New(method)
	}
	field := func(n protowire.Number, text string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), text)
	}
	entry := append(field(1, "config"), field(2, c.config)...)
	answer := append(field(1, "conditions"), field(2, string(entry))...)
	reply.(*emptypb.Empty).ProtoReflect().SetUnknown(answer)
	return nil
}

func TestPinsOfStatus(t *testing.T) {
	for config, want := range map[string]store.CRIPins{
		`{"sandboxImage":"localhost/kubernetes/pause"}`: {store.PinSandbox: {"localhost/kubernetes/pause"}},
		`{"containerd":{}}`:                             nil, // as containerd 2 tells it
	} {
		pins, ok, err := daemon.CRIConn{Conn: statusConn{config: config}}.ConfiguredPins(context.Background())
		if diff := cmp.Diff(want, pins); diff != "" || ok != (want != nil) || err != nil {
			t.Errorf("%s: %v, %v, %s", config, ok, err, diff)
		}
	}
	if _, _, err := (daemon.CRIConn{Conn: statusConn{config: "{"}}).ConfiguredPins(context.Background()); err == nil {
		t.Error("half a configuration is read")
	}
}

// fakeProcess makes a proc(5) with one process, in a mount namespace of its own.
func fakeProcess(t *testing.T, cmdline string, files map[string]string) (procfs string) {
	t.Helper()
	procfs = t.TempDir()
	written := map[string]string{"7/cmdline": strings.ReplaceAll(cmdline, " ", "\x00") + "\x00"}
	for path, text := range files {
		written["7/root"+path] = text
	}
	for path, text := range written {
		path = filepath.Join(procfs, path)
		tw.Must(0, os.MkdirAll(filepath.Dir(path), 0o755))
		tw.Must(0, os.WriteFile(path, []byte(text), 0o600))
	}
	for link, to := range map[string]string{"self/ns/pid": "pid:[5]", "self/ns/mnt": "mnt:[1]", "7/ns/mnt": "mnt:[2]"} {
		tw.Must(0, os.MkdirAll(filepath.Dir(filepath.Join(procfs, link)), 0o755))
		tw.Must(0, os.Symlink(to, filepath.Join(procfs, link)))
	}
	return procfs
}

// What the files say that a containerd was started with, and those that they
// import; in all versions of the configuration.
func TestPinsOfProcess(t *testing.T) {
	const v2, v3 = "[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image = 'short'\n", "[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = \"a/pause\"\nbase = 'b'\n"
	for name, c := range map[string]struct {
		cmdline string
		files   map[string]string
		want    store.CRIPins
		unknown bool
	}{
		"version 2":         {"containerd", map[string]string{"/etc/containerd/config.toml": v2}, store.CRIPins{store.PinSandbox: {"short"}}, false},
		"version 3":         {"containerd", map[string]string{"/etc/containerd/config.toml": v3}, store.CRIPins{store.PinSandbox: {"a/pause"}, "base": {"b"}}, false},
		"nothing":           {"containerd", map[string]string{}, store.CRIPins{}, false},
		"dropped in":        {"containerd", map[string]string{"/etc/containerd/conf.d/x.toml": v2}, store.CRIPins{store.PinSandbox: {"short"}}, false},
		"named":             {"containerd -l debug --config /c.toml", map[string]string{"/c.toml": v2}, store.CRIPins{store.PinSandbox: {"short"}}, false},
		"named with =":      {"containerd -c=/c.toml", map[string]string{"/c.toml": v2}, store.CRIPins{store.PinSandbox: {"short"}}, false},
		"imported, in turn": {"containerd -c /c.toml", map[string]string{"/c.toml": "imports = ['d/*.toml']", "/d/x.toml": "imports = ['/c.toml']\n" + v2}, store.CRIPins{store.PinSandbox: {"short"}}, false},
		"named and missing": {"containerd -c /c.toml", map[string]string{}, nil, true},
		"no TOML":           {"containerd", map[string]string{"/etc/containerd/config.toml": "{"}, nil, true},
	} {
		pins, err := daemon.ProcessPins(fakeProcess(t, c.cmdline, c.files), 7, 5)
		if diff := cmp.Diff(c.want, pins); diff != "" || errdefs.IsUnavailable(err) != c.unknown {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := daemon.ProcessPins(fakeProcess(t, "containerd", map[string]string{}), 7, 6); !errdefs.IsUnavailable(err) {
		t.Errorf("a process of another PID namespace: %v", err)
	}
}
