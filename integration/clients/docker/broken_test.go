package docker

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
)

// broken is an Engine whose word cannot be trusted, and what is said of it.
type broken struct {
	name, says string
	socket     func(t *testing.T, e *Engine) string
	opts       []docker.Option
}

func behind(fault Fault) func(*testing.T, *Engine) string {
	return func(t *testing.T, e *Engine) string { return e.Behind(t, fault) }
}

// instead answers every request for a path with something else.
func instead(path string, do func(w http.ResponseWriter, r *http.Request, answer []byte)) func(*testing.T, *Engine) string {
	return behind(func(w http.ResponseWriter, r *http.Request, asked string, answer []byte) {
		if asked == path {
			do(w, r, answer)
			return
		}
		w.Write(answer)
	})
}

func half(list []container.Summary) []container.Summary { return list[:len(list)/2] }

var brokenEngines = []broken{
	{name: "socket gone", says: "there is no such socket (file does not exist); is Docker running?", socket: func(t *testing.T, _ *Engine) string {
		return filepath.Join(t.TempDir(), "none.sock")
	}},
	{name: "nobody listens", says: "nothing listens on this socket (connection refused); is Docker running?", socket: abandoned},
	{name: "not HTTP", says: "its answer cannot be parsed", socket: func(_ *testing.T, e *Engine) string {
		return e.Address() // containerd's own
	}},
	{name: "permission denied", says: "permission denied; run as root, or as a user of the socket's group", socket: instead("/info",
		func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			http.Error(w, `{"message":"no"}`, http.StatusForbidden)
		})},
	{name: "no answer", says: "it gave no answer in time", opts: []docker.Option{docker.WithTimeout(300 * time.Millisecond)},
		socket: instead("/containers/json", func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })},
	{name: "error", says: "its answer cannot be parsed", socket: instead("/containers/json",
		func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusInternalServerError) })},
	{name: "answer cut short", says: "its answer cannot be parsed", socket: instead("/containers/json",
		func(w http.ResponseWriter, _ *http.Request, answer []byte) { w.Write(answer[:len(answer)/2]) })},
	{name: "answer of noise", says: "its answer cannot be parsed", socket: instead("/info",
		func(w http.ResponseWriter, _ *http.Request, _ []byte) { io.WriteString(w, "\x00\x1b[31mno JSON") })},
	{name: "answer of another kind", says: "its answer cannot be parsed", socket: instead("/containers/json",
		func(w http.ResponseWriter, _ *http.Request, _ []byte) { io.WriteString(w, `{"message":"hello"}`) })},
	{name: "answer too long", says: "its answer is too long", opts: []docker.Option{docker.WithLimit(1000)},
		socket: func(_ *testing.T, e *Engine) string { return e.Socket() }},
	{name: "null instead of a list", says: "it lists 0 containers but counts 4", socket: instead("/containers/json",
		func(w http.ResponseWriter, _ *http.Request, _ []byte) { io.WriteString(w, "null") })},
	{name: "half a list", says: "it lists 2 containers but counts 4", socket: behind(OnList(
		func(list *[]container.Summary) { *list = half(*list) }))},
	{name: "half a list and half the count", says: "whose files this store holds for Docker", socket: behind(
		func(w http.ResponseWriter, r *http.Request, path string, answer []byte) {
			switch {
			case path == "/containers/json":
				OnList(func(list *[]container.Summary) { *list = half(*list) })(w, r, path, answer)
			case strings.HasPrefix(path, "/containers/"):
				http.Error(w, `{"message":"no such container"}`, http.StatusNotFound)
			default:
				OnInfo(func(info *system.Info) { info.Containers /= 2 })(w, r, path, answer)
			}
		})},
	{name: "a key twice", says: `it has the key "ImageID" twice in [0]`, socket: instead("/containers/json",
		func(w http.ResponseWriter, _ *http.Request, answer []byte) {
			w.Write([]byte(strings.Replace(string(answer), `"ImageID":`, `"ImageID":"","ImageID":`, 1)))
		})},
	{name: "a key in another case", says: `it has the key "containers", which some programs read as "Containers"`, socket: instead("/info",
		func(w http.ResponseWriter, _ *http.Request, answer []byte) {
			w.Write([]byte(strings.Replace(string(answer), `{`, `{"containers":4,`, 1)))
		})},
	{name: "a socket to which all may write", says: "every user may write to this socket, its mode is 0777", socket: given(func(socket string) error {
		return os.Chmod(socket, 0o777)
	})},
	{name: "a stranger's socket", says: "this socket belongs to user 65534, who is neither root nor", socket: given(func(socket string) error {
		return os.Chown(socket, 65534, 65534)
	})},
	{name: "a socket in a stranger's folder", says: "user 65534 may replace this socket", socket: given(func(socket string) error {
		return os.Chown(filepath.Dir(socket), 65534, 65534)
	})},
	{name: "no image IDs", says: "with the invalid image ID", socket: behind(OnList(
		func(list *[]container.Summary) { (*list)[0].ImageID = "" }))},
	{name: "a state nobody knows", says: "in the unknown state", socket: behind(OnList(
		func(list *[]container.Summary) { (*list)[0].State = "levitating" }))},
	{name: "another containerd", says: "it uses another containerd", socket: behind(OnInfo(
		func(info *system.Info) { info.Containerd.Address = "/run/other.sock" }))},
	{name: "another namespace", says: `it keeps its containers in namespace "elsewhere"`, socket: behind(OnInfo(
		func(info *system.Info) { info.Containerd.Namespaces.Containers = "elsewhere" }))},
	{name: "no containerd", says: "it does not say which containerd it uses", socket: behind(OnInfo(
		func(info *system.Info) { info.Containerd = nil }))},
	{name: "no image store", says: "it does not use containerd's image store", socket: behind(OnInfo(
		func(info *system.Info) { info.Driver, info.DriverStatus = "overlay2", nil }))},
}

// given is the Engine at a socket of which something was changed.
func given(change func(socket string) error) func(*testing.T, *Engine) string {
	return func(t *testing.T, e *Engine) string {
		t.Helper()
		socket := e.Behind(t, func(w http.ResponseWriter, _ *http.Request, _ string, answer []byte) { w.Write(answer) })
		if err := change(socket); err != nil {
			t.Fatal(err)
		}
		return socket
	}
}

// abandoned leaves a socket's file without a listener.
func abandoned(t *testing.T, _ *Engine) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	return path
}

// four makes a container in each state, and images that nobody uses in the
// Engine's namespace.
func four(t *testing.T, e *Engine) {
	t.Helper()
	e.Image("docker.io/library/app:1")
	e.Create("created", "app:1")
	e.Run("running", "app:1")
	e.Run("stopped", "app:1")
	e.StopContainer("stopped")
	e.Run("paused", "app:1")
	e.PauseContainer("paused")
	e.Image("docker.io/library/unused:1")
	// Loading leaves the archive's index behind, which any run collects.
	if err := e.Store(Namespace).Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An Engine that cannot be trusted closes its namespace, whatever is wrong
// with it, and no other.
func TestBrokenEngine(t *testing.T) {
	e := Start(t)
	four(t, e)
	for _, b := range brokenEngines {
		t.Run(b.name, func(t *testing.T) {
			refuses(t, e, ask(t, b.socket(t, e), b.opts...), b.says)
		})
	}
	t.Run("no Engine given", func(t *testing.T) {
		refuses(t, e, pruning.None, "Docker was not asked for them")
	})
	t.Run("no trouble", func(t *testing.T) {
		if report := pruneAndCheck(t, e); len(report.Untagged) != 1 {
			t.Errorf("untagged %v, want unused:1", report.Untagged)
		}
	})
}

// refuses prunes all namespaces and fails the test unless nothing at all
// changed in the Engine's, the refusal says why, and another was pruned.
func refuses(t *testing.T, e *Engine, sources pruning.Sources, says string) {
	t.Helper()
	other := e.Store("default")
	if err := other.Add(t.Context(), imagestore.New(9).Image(imagestore.Spec{Name: "example.com/other:1"})); err != nil {
		t.Fatal(err)
	}
	before := e.Capture()
	report := pruning.Run(t, e.Address(), pruning.All(), sources, nil)
	after := e.Capture()
	refused := report.Plan.Refused
	if len(refused) != 1 || refused[0].Namespace != Namespace || !strings.Contains(refused[0].Reason, says) {
		t.Errorf("refused %v, want %s because %q", refused, Namespace, says)
	}
	for _, r := range refused {
		if strings.ContainsAny(r.Reason, "\n\r") {
			t.Errorf("the reason has more than one line: %q", r.Reason)
		}
	}
	same(t, before, after, Namespace, "plugins."+Namespace, Namespace+"_history")
	if want := "example.com/other:1"; len(report.Untagged) != 1 || report.Untagged[0].Name != want {
		t.Errorf("untagged %v, want %s", report.Untagged, want)
	}
}

// A second Engine, on a containerd of its own, answers for its own containers
// only; nor does it when it names the first one's containerd, as one does that
// runs where the same path is another socket.
func TestAnotherEngine(t *testing.T) {
	e, other := Start(t), Start(t)
	four(t, e)
	refuses(t, e, ask(t, other.Socket()), "it uses another containerd")
	claims := OnInfo(func(info *system.Info) { info.Containerd.Address = e.Address() })
	refuses(t, e, ask(t, other.Behind(t, claims)), "whose files this store holds for Docker")

	// Nor when this store has no container of Docker's, and the other has.
	for name := range e.Containers() {
		e.Remove(name)
	}
	four(t, other)
	refuses(t, e, ask(t, other.Behind(t, claims)), "it is another Engine")
}

// A user who may not speak to the Engine.
func TestDeniedUser(t *testing.T) {
	if socket := os.Getenv("CTR_PRUNE_TEST_SOCKET"); socket != "" {
		s, err := docker.New(socket, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: Namespace}})
		json.NewEncoder(os.Stdout).Encode(err.Error())
		return
	}
	e := Start(t)
	self := filepath.Join(e.Dir(), "self")
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestDeniedUser$")
	cmd.Dir = "/"
	cmd.Env = []string{"CTR_PRUNE_TEST_SOCKET=" + e.Socket()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if want := "permission denied; run as root"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("got %s, %v; want %q", out, err, want)
	}
}
