package cri_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/kubelet"
)

// listOf is a kubelet's answer. Go writes an empty list as null.
func listOf(pods ...string) string {
	items := "null"
	if len(pods) > 0 {
		items = "[" + strings.Join(pods, ",") + "]"
	}
	return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":` + items + "}\n"
}

// item is a running pod of namespace default.
func item(name, uid, image string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"default","uid":%q,"annotations":{"kubernetes.io/config.source":"api"}},
		"spec":{"containers":[{"name":"main","image":%q}]},"status":{"phase":"Running"}}`, name, uid, image)
}

// waits is the pauses between two questions to a kubelet: none is slept, and
// something may happen in each.
type waits struct {
	count int
	then  func(count int)
}

func (w *waits) wait(ctx context.Context, _ time.Duration) error {
	w.count++
	if w.then != nil {
		w.then(w.count)
	}
	return ctx.Err()
}

// kubeletSays is a kubelet that gives each answer once and then the last one
// again.
func kubeletSays(t *testing.T, w *waits, answers ...string) prune.Source {
	t.Helper()
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		rw.Write([]byte(answers[min(asked, len(answers))-1]))
	}))
	t.Cleanup(server.Close)
	return podsFrom(t, server.URL+"/pods", kubelet.Options{Insecure: true, Wait: w.wait})
}

// syncing is a node with a pod that runs and has no container yet: its image is
// there, and may not be pulled.
type syncing struct {
	*cri.Node
	t            *testing.T
	pod          *cri.Pod
	never, stray *imagestore.Image
}

var neverPulled = item("api", "uid-of-api", "never:1")

func startSyncing(t *testing.T, version parts.Part) *syncing {
	n := &syncing{Node: cri.Start(t, version), t: t}
	n.never = n.Pulled("docker.io/library/never", "1")
	n.stray = n.Pulled("docker.io/library/stray", "1")
	n.pod = n.Pod("api")
	return n
}

// sub runs a test on the node as it is.
func (n *syncing) sub(name string, test func(t *testing.T)) {
	n.t.Run(name, func(t *testing.T) {
		defer func(all *testing.T) { n.t = all }(n.t)
		n.t = t
		test(t)
	})
}

// wantDoubt fails the test unless a list that stays as it is closes k8s.io, after
// some seconds, with a sentence that says so.
func (n *syncing) wantDoubt(says, list string) {
	n.t.Helper()
	w := &waits{}
	source := kubeletSays(n.t, w, list)
	_, _, err := source.Uses(n.t.Context(), n.read(prune.Procfs{}))
	if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
		n.t.Errorf("got %v, want %q", err, says)
	}
	if w.count != 10 {
		n.t.Errorf("asked again %d times", w.count)
	}
	wantClosed(n.t, n.Node, run{sources: []prune.Source{source}})
}

// read returns what a source is asked about CRI's namespace.
func (n *syncing) read(procfs prune.Procfs) (asked prune.Asked) {
	n.t.Helper()
	store, err := prune.Open(n.t.Context(), n.Address())
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { store.Close() })
	policy := prune.Policy{AllNamespaces: true, Filters: filters.Everything()}
	_, err = prune.Read(n.t.Context(), store, policy.Scope(), time.Now(), prune.ReadOptions{Procfs: procfs, Sources: []prune.Source{asker{&asked}}})
	if err != nil {
		n.t.Fatal(err)
	}
	return asked
}

// asker is a source that only notes what it is asked about CRI's namespace.
type asker struct{ asked *prune.Asked }

func (a asker) Uses(_ context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	if asked.Name == cri.Namespace {
		*a.asked = asked
	}
	return nil, false, nil
}

// A kubelet's list without a pod that runs here is not the list of this node's
// pods, whatever else is in it.
func TestListWithoutAPodThatRunsIsNotBelieved(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := startSyncing(t, version)
		static := n.Pod("etcd-n1")
		etcd := strings.Replace(item("etcd-n1", "uid-of-etcd-n1", "etcd:1"), `:"api"`, `:"file"`, 1)
		const says = `the list lacks pod "default/api" (UID "uid-of-api"`
		for name, list := range map[string]string{
			"not synced":              listOf(),
			"only static pods":        listOf(etcd),
			"another node's":          listOf(item("web", "uid-of-web", "web:1"), etcd),
			"an earlier pod of it":    listOf(item("api", "uid-before", "never:0"), etcd),
			"a pod elsewhere like it": listOf(strings.Replace(neverPulled, `"namespace":"default"`, `"namespace":"other"`, 1), etcd),
		} {
			n.sub(name, func(*testing.T) { n.wantDoubt(says, list) })
		}
		static.Remove()
		n.sub("a kubelet that hears of them meanwhile", func(t *testing.T) {
			w := &waits{}
			p := pruneAll(t, n.Node, kubeletSays(t, w, listOf(), listOf(etcd), listOf(etcd, neverPulled)))
			if w.count != 2 {
				t.Errorf("asked again %d times", w.count)
			}
			p.wantGone(t, n.stray)
			wantUsable(t, n.Node, "never:1")
		})
	})
}

// A sandbox that has ended says nothing of the list, be it a deleted pod's or an
// earlier one of a pod that is listed.
func TestSandboxesThatAreOver(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := startSyncing(t, version)
		deleted := n.Pod("job")
		deleted.Run(cri.Container{Name: "main", Image: "stray:1"})
		deleted.Stop()
		n.pod.Stop()
		again := n.pod.Again()

		n.sub("they are told apart", func(t *testing.T) {
			wantStates(t, n.read(prune.Procfs{}), map[string]prune.SandboxState{
				deleted.ID: prune.SandboxOver, n.pod.ID: prune.SandboxOver, again.ID: prune.SandboxRuns,
			})
		})
		n.sub("as after a start of the machine", func(t *testing.T) {
			ns := n.read(startedNow(t))
			wantStates(t, ns, map[string]prune.SandboxState{
				deleted.ID: prune.SandboxLeft, n.pod.ID: prune.SandboxLeft, again.ID: prune.SandboxRuns,
			})
			_, _, err := kubeletSays(t, &waits{}, listOf(neverPulled)).Uses(t.Context(), ns)
			if err == nil || !strings.Contains(err.Error(), `"default/job"`) || !strings.Contains(err.Error(), "when the machine went down") {
				t.Errorf("got %v", err)
			}
		})
		n.sub("a restart of containerd", func(t *testing.T) {
			n.Restart()
			n.Ready()
			wantStates(t, n.read(prune.Procfs{}), map[string]prune.SandboxState{
				deleted.ID: prune.SandboxOver, n.pod.ID: prune.SandboxOver, again.ID: prune.SandboxRuns,
			})
		})
		p := pruneAll(t, n.Node, kubeletSays(t, &waits{}, listOf(neverPulled)))
		p.wantGone(t) // the deleted pod's container is still there
		deleted.Remove()
		pruneAll(t, n.Node, kubeletSays(t, &waits{}, listOf(neverPulled))).wantGone(t, n.stray)
	})
}

// startedNow is a machine that has just been started.
func startedNow(t *testing.T) prune.Procfs {
	t.Helper()
	dir := t.TempDir()
	stat := fmt.Sprintf("btime %d\n", time.Now().Add(time.Second).Unix())
	if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o600); err != nil {
		t.Fatal(err)
	}
	return prune.Procfs{Root: dir}
}

func wantStates(t *testing.T, ns prune.Asked, want map[string]prune.SandboxState) {
	t.Helper()
	found, err := ns.PodSandboxes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range found {
		if s.State != want[s.ID] {
			t.Errorf("sandbox of %s/%s (%s) is %q, want %q", s.Namespace, s.Name, s.UID, s.State, want[s.ID])
		}
	}
	if len(found) != len(want) {
		t.Errorf("%d sandboxes, want %d", len(found), len(want))
	}
}

// A pod that was deleted by force is out of the list before it has ended.
func TestPodThatIsEndingIsWaitedFor(t *testing.T) {
	n := startSyncing(t, parts.Containerd24)
	deleted := n.Pod("job")
	w := &waits{then: func(count int) {
		if count == 2 {
			deleted.Stop()
		}
	}}
	pruneAll(t, n.Node, kubeletSays(t, w, listOf(neverPulled))).wantGone(t, n.stray)
	if w.count != 2 {
		t.Errorf("asked again %d times", w.count)
	}
}

// An empty list cannot be told from that of a kubelet that has heard of nothing
// yet where no pod runs, unless the user says that there are none.
func TestEmptyListOfNoPods(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := startSyncing(t, version)
		n.pod.Stop()
		n.wantDoubt("the list is empty", listOf())
		n.pod.Remove()
		n.wantDoubt("the list is empty", listOf())
		empty := podsFrom(t, textFile(t, listOf()), kubelet.Options{MayBeEmpty: true})
		pruneAll(t, n.Node, empty).wantGone(t, n.stray, n.never)
	})
}

// CRI has not read its state yet: which pods run is not known, so that an empty
// answer of its would say nothing.
func TestListIsNotBelievedBeforeCRIIsReady(t *testing.T) {
	n := startSyncing(t, parts.Containerd24)
	for name, answer := range map[string]func(proto.Message) error{
		"not initialized": func(proto.Message) error { return status.Error(codes.Unavailable, "server is not initialized yet") },
		"garbled":         func(reply proto.Message) error { reply.ProtoReflect().SetUnknown([]byte{0x0a, 0x05, 0xff}); return nil },
		"no sandboxes":    func(proto.Message) error { return nil },
	} {
		n.sub(name, func(t *testing.T) {
			w := &waits{}
			dial := []grpc.DialOption{grpc.WithChainUnaryInterceptor(interceptCalls("/runtime.v1.RuntimeService/ListPodSandbox", answer))}
			wantClosed(t, n.Node, run{sources: []prune.Source{kubeletSays(t, w, listOf(item("other", "uid-of-other", "o:1")))}, dial: dial})
			if w.count != 10 {
				t.Errorf("asked again %d times", w.count)
			}
		})
	}
}
