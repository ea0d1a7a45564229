package prune

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

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
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
		must(0, os.MkdirAll(filepath.Dir(path), 0o755))
		must(0, os.WriteFile(path, []byte(text), 0o600))
	}
	for link, to := range map[string]string{"self/ns/pid": "pid:[5]", "self/ns/mnt": "mnt:[1]", "7/ns/mnt": "mnt:[2]"} {
		must(0, os.MkdirAll(filepath.Dir(filepath.Join(procfs, link)), 0o755))
		must(0, os.Symlink(to, filepath.Join(procfs, link)))
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

// pinStore is a store whose CRI tells its configuration, or does not.
type pinStore struct {
	store.Store
	pins store.CRIPins
	err  error
}

func (s pinStore) Abilities() store.Abilities {
	return store.Abilities{CRI: pinCRI{pins: s.pins, err: s.err}}
}

type pinCRI struct {
	store.CRI
	pins store.CRIPins
	err  error
}

func (s pinCRI) Pins(context.Context) (store.CRIPins, error) { return s.pins, s.err }

// The pause image stays in any spelling; where the configuration is not known
// all that is called one stays; a CRI that fails closes the namespace.
func TestPauseImageIsInUse(t *testing.T) {
	w := world{store.CRINamespace: {
		blob("a"), record("localhost/kubernetes/pause:latest", "a"), blob("b"), record("rancher/mirrored-pause:3.6", "b"),
		blob("c"), record("docker.io/library/app:1", "c"),
	}}
	const used = "in use by CRI as its sandbox (pause) image"
	for name, c := range map[string]struct {
		store func(store.Store) store.Store
		want  []string
	}{
		"told": {func(s store.Store) store.Store {
			return pinStore{Store: s, pins: store.CRIPins{store.PinSandbox: {"localhost/kubernetes/pause"}}}
		}, []string{reasonUnused, used, reasonUnused}},
		"not here": {func(s store.Store) store.Store {
			return pinStore{Store: s, pins: store.CRIPins{store.PinSandbox: {"none.example/pause"}}}
		}, []string{reasonUnused, reasonUnused, reasonUnused}},
		"no CRI":  {func(s store.Store) store.Store { return pinStore{Store: s} }, []string{reasonUnused, reasonUnused, reasonUnused}},
		"unknown": {func(s store.Store) store.Store { return pinStore{Store: s, err: errdefs.ErrUnavailable} }, []string{reasonUnused, used + ", perhaps, as its configuration cannot be read here", used + ", perhaps, as its configuration cannot be read here"}},
		"stopped": {func(s store.Store) store.Store { return s }, []string{reasonUnused, used + ", perhaps, as containerd does not run, which could be asked", used + ", perhaps, as containerd does not run, which could be asked"}},
		"failing": {func(s store.Store) store.Store { return pinStore{Store: s, err: errors.New("CRI is broken")} }, []string{"CRI is broken", "CRI is broken", "CRI is broken"}},
	} {
		s := newScene(t, w)
		plan := must(flow.ReadPlan(s.ctx, c.store(s.store), rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: all()}, noon, read.ReadOptions{}))
		var got []string
		for _, d := range plan.Decisions {
			got = append(got, d.Reason)
		}
		for i, want := range c.want {
			if i >= len(got) || !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
				break
			}
		}
		if len(plan.Notes) > 0 {
			t.Errorf("%s: %q", name, plan.Notes)
		}
	}
}
