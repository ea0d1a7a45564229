package serve

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// patience ends what hangs.
const patience = 4 * time.Minute

// node is a containerd with the files of a resident.
type node struct {
	*testing.T
	daemon *daemon.Daemon
	store  imagestore.Store
	build  *imagestore.Builder
	dir    string
}

func newNode(t *testing.T, opts daemon.Options) *node {
	t.Helper()
	d := daemon.Start(t, opts)
	return &node{t, d, d.Store("default"), imagestore.New(7), t.TempDir()}
}

const everything = "version: 1\nrules: [{name: all, match: {names: ['**']}, keep: none}]\n"

func (n *node) config() string { return filepath.Join(n.dir, "config.yaml") }
func (n *node) state() string  { return filepath.Join(n.dir, "state") }

// configure writes the configuration: what serve has beside the state.
func (n *node) configure(serve string) {
	n.Helper()
	n.must(os.WriteFile(n.config(), []byte(everything+"serve: {state: "+n.state()+", "+serve+"}\n"), 0o600))
}

func (n *node) must(errs ...error) {
	n.Helper()
	for _, err := range errs {
		if err != nil {
			n.Fatal(err)
		}
	}
}

// images adds images that nothing uses.
func (n *node) images(names ...string) (all []*imagestore.Image) {
	n.Helper()
	for _, name := range names {
		img := n.build.Image(imagestore.Spec{Name: "docker.io/library/" + name + ":1", Layers: 2})
		n.must(n.store.Add(n.Context(), img))
		all = append(all, img)
	}
	return all
}

// use makes a container of an image.
func (n *node) use(id string, img *imagestore.Image) {
	n.Helper()
	n.must(n.store.Container(n.Context(), imagestore.ContainerSpec{ID: id, Image: img.Name, Of: img}))
}

// names are those of all images.
func (n *node) names() string {
	n.Helper()
	list, err := n.daemon.Client("default").ImageService().List(n.store.Context(n.Context()))
	n.must(err)
	var names []string
	for _, img := range list {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(img.Name, "docker.io/library/"), ":1"))
	}
	return strings.Join(names, " ")
}

// resident is a ctr-prune serve that runs.
type resident struct {
	*node
	cmd   *exec.Cmd
	apart bool
	lines chan map[string]any
	said  []string
}

// serve starts one at an address of containerd, in a PID namespace of its own if
// that is asked for.
func (n *node) serve(address string, apart bool, args ...string) *resident {
	n.Helper()
	args = append([]string{binary, "serve", "--config", n.config(), "--address", address, "--log-format", "json", "--docker-host", "/nonexistent"}, args...)
	if apart {
		args = append([]string{"unshare", "--fork", "--pid", "--mount-proc", "--kill-child"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	n.must(err, cmd.Start())
	r := &resident{node: n, cmd: cmd, apart: apart, lines: make(chan map[string]any, 1000)}
	go func() {
		defer close(r.lines)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			line := map[string]any{}
			if json.Unmarshal(scanner.Bytes(), &line) != nil {
				line["msg"] = scanner.Text()
			}
			r.lines <- line
		}
	}()
	n.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		for range r.lines {
		}
		_ = cmd.Wait()
	})
	return r
}

// await waits for a line of the log with all these, as KEY=VALUE.
func (r *resident) await(want ...string) map[string]any {
	r.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				r.Fatalf("it ended without %q:\n%s", want, strings.Join(r.said, "\n"))
			}
			r.said = append(r.said, fmt.Sprint(line))
			if has(line, want) {
				return line
			}
		case <-timer.C:
			r.Fatalf("waited in vain for %q:\n%s", want, strings.Join(r.said, "\n"))
		}
	}
}

func has(line map[string]any, want []string) bool {
	for _, w := range want {
		key, value, _ := strings.Cut(w, "=")
		if !strings.Contains(fmt.Sprint(line[key]), value) {
			return false
		}
	}
	return true
}

// pid is that of the resident itself: apart, it is the child of what was started.
func (r *resident) pid() int {
	r.Helper()
	if !r.apart {
		return r.cmd.Process.Pid
	}
	pid := r.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	r.must(err)
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	r.must(err)
	return child
}

func (r *resident) signal(s syscall.Signal) {
	r.Helper()
	r.must(r.cmd.Process.Signal(s))
}

// kill kills it, and waits until nothing of it is there.
func (r *resident) kill() {
	r.Helper()
	r.signal(syscall.SIGKILL)
	for line := range r.lines {
		r.said = append(r.said, fmt.Sprint(line))
	}
	_ = r.cmd.Wait() // it was killed
}

// ends waits until it has ended by itself, with that code.
func (r *resident) ends(code int) {
	r.Helper()
	for line := range r.lines {
		r.said = append(r.said, fmt.Sprint(line))
	}
	_ = r.cmd.Wait() // the code says it
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		r.Errorf("it ended with %d:\n%s", got, strings.Join(r.said, "\n"))
	}
}

// page asks for a page.
func page(t *testing.T, address, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// unharmed lets the oracle judge what became of the store.
func (n *node) unharmed(before *oracle.State) {
	n.Helper()
	if err := oracle.Check(before, n.daemon.Capture()); err != nil {
		n.Error(err)
	}
}
