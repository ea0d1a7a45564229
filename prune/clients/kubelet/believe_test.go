package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	apiUID   = "5b3f0c6e-9d0b-4f0e-8c07-0d6f1c8f7a11"
	etcdHash = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	nothing  = `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}` + "\n"
	podBody  = `"spec":{"containers":[{"name":"main","image":"x:1"}]},"status":{"phase":"Running"}`
)

// list is a kubelet's answer with pods.
func list(pods ...string) string {
	return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + strings.Join(pods, ",") + "]}\n"
}

func item(namespace, name, uid, annotations string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q,"uid":%q,"annotations":{%s}},%s}`, name, namespace, uid, annotations, podBody)
}

var (
	api = item("default", "api", apiUID, `"kubernetes.io/config.source":"api"`)
	// etcd is a static pod as its kubelet lists it, mirror as the API server does.
	etcd = item("kube-system", "etcd-n1", etcdHash, `"kubernetes.io/config.hash":"`+etcdHash+`","kubernetes.io/config.source":"file"`)

	mirror = item("kube-system", "etcd-n1", "77f4f9a5-93fc-4b86-8f2a-0e9f5f0f3c55",
		`"kubernetes.io/config.hash":"`+etcdHash+`","kubernetes.io/config.mirror":"`+etcdHash+`"`)
	web       = item("default", "web-n1", "0123456789abcdef0123456789abcdef", `"kubernetes.io/config.source":"http"`)
	elsewhere = item("default", "web", "e7a1b4c2-1111-4222-8333-444455556666", "")
	earlier   = item("default", "api", "00000000-1111-4222-8333-444455556666", "")
)

func sandbox(name, uid string, state prune.SandboxState) prune.PodSandbox {
	namespace, name, _ := strings.Cut(name, "/")
	return prune.PodSandbox{ID: strings.Repeat("5", 64), Namespace: namespace, Name: name, UID: uid, State: state}
}

// A list is believed if it has every pod with a sandbox that is not over.
func TestJudge(t *testing.T) {
	runs := sandbox("default/api", apiUID, prune.SandboxRuns)
	static := sandbox("kube-system/etcd-n1", etcdHash, prune.SandboxRuns)
	over, over2 := sandbox("default/api", apiUID, prune.SandboxOver), sandbox("default/job", "9d1b7f0e-3c52-4a6e-9f0d-0a1b2c3d4e5f", prune.SandboxOver)
	staticOver := sandbox("kube-system/old-n1", "ffffffffffffffffffffffffffffffff", prune.SandboxOver)
	empty := Options{MayBeEmpty: true}
	for name, test := range map[string]struct {
		list      string
		sandboxes []prune.PodSandbox
		opts      Options
		want      string // of the error; none wanted if empty
	}{
		"all are listed":                   {list: list(api, etcd), sandboxes: []prune.PodSandbox{runs, static}},
		"more are listed":                  {list: list(api, etcd, elsewhere), sandboxes: []prune.PodSandbox{runs}},
		"nothing runs":                     {list: list(api)},
		"not synced":                       {list: nothing, sandboxes: []prune.PodSandbox{runs}, want: `pod "default/api" (UID "` + apiUID + `", sandbox 555555555555), which runs here: it is from another node`},
		"not synced, and told it is empty": {list: nothing, sandboxes: []prune.PodSandbox{runs}, opts: empty, want: `"default/api"`},
		"only static pods":                 {list: list(etcd), sandboxes: []prune.PodSandbox{static, runs}, want: `"default/api"`},
		"another node's":                   {list: list(elsewhere), sandboxes: []prune.PodSandbox{static, runs}, want: `"default/api" (UID "` + apiUID + `", sandbox 555555555555), which runs here, and one other: it`},
		"of an earlier pod of that name":   {list: list(earlier), sandboxes: []prune.PodSandbox{runs}, want: `"default/api"`},
		"of two pods of that name":         {list: list(earlier, api), sandboxes: []prune.PodSandbox{runs}},
		"with two sandboxes":               {list: list(etcd), sandboxes: []prune.PodSandbox{runs, runs}, want: "which runs here: it"},
		"a static pod by its mirror":       {list: list(mirror), sandboxes: []prune.PodSandbox{static}},
		"its UID in another namespace":     {list: list(item("other", "api", apiUID, "")), sandboxes: []prune.PodSandbox{runs}, want: `"default/api"`},
		"without UIDs":                     {list: list(item("default", "api", "", "")), sandboxes: []prune.PodSandbox{runs}},
		"a sandbox without UID":            {list: list(api), sandboxes: []prune.PodSandbox{sandbox("default/api", "", prune.SandboxRuns)}},
		"a sandbox without a pod":          {list: list(api), sandboxes: []prune.PodSandbox{sandbox("/", "", prune.SandboxRuns)}, want: `pod "without a name"`},
		"of a pod that is over":            {list: list(api), sandboxes: []prune.PodSandbox{sandbox("default/job", "1", prune.SandboxOver), runs}},
		"of a pod's earlier sandbox":       {list: list(api), sandboxes: []prune.PodSandbox{sandbox("default/api", apiUID, prune.SandboxOver), runs}},
		"left by the machine's last run":   {list: list(etcd), sandboxes: []prune.PodSandbox{static, sandbox("default/api", apiUID, prune.SandboxLeft)}, want: "which ran here when the machine went down"},
		"of which nobody can tell":         {list: list(etcd), sandboxes: []prune.PodSandbox{sandbox("default/api", apiUID, prune.SandboxUnknown)}, want: "which may run here"},
		"empty":                            {list: nothing, want: "the list is empty"},
		"empty beside one that is over":    {list: list(), sandboxes: []prune.PodSandbox{over}, want: "has no pod of the API server"},
		"empty, it may be, and one over":   {list: nothing, sandboxes: []prune.PodSandbox{over}, opts: empty, want: "has no pod of the API server"},
		"empty beside a static one's":      {list: list(), sandboxes: []prune.PodSandbox{staticOver}, want: "the list is empty"},
		"only static pods, all others over": {list: list(etcd, web), sandboxes: []prune.PodSandbox{static, over, over2, staticOver},
			want: `the list has no pod of the API server, and lacks pod "default/api" (UID "` + apiUID + `", sandbox 555555555555), which has ended here, and one other: it is from another node or another time, or the kubelet has not heard`},
		"the API server has another":         {list: list(etcd, elsewhere), sandboxes: []prune.PodSandbox{static, over}},
		"the API server has only mirrors":    {list: list(mirror), sandboxes: []prune.PodSandbox{static, over}},
		"only static pods, one of them over": {list: list(etcd), sandboxes: []prune.PodSandbox{static, staticOver}},
		"empty, and it may be":               {list: nothing, opts: empty},
	} {
		t.Run(name, func(t *testing.T) {
			pods, err := parsePods([]byte(test.list))
			if err != nil {
				t.Fatal(err)
			}
			err = (&Source{opts: test.opts}).judge(pods, test.sandboxes)
			if test.want == "" && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if test.want != "" {
				wantError(t, err, test.want)
			}
		})
	}
}

// node is a namespace with a pod that nobody says has ended.
func node() *prune.Namespace {
	return &prune.Namespace{Name: "k8s.io", Containers: []containers.Container{{ID: "5", Labels: map[string]string{
		"io.cri-containerd.kind": "sandbox", "io.kubernetes.pod.name": "api",
		"io.kubernetes.pod.namespace": "default", "io.kubernetes.pod.uid": apiUID,
	}}}}
}

// syncing is a kubelet that gives each answer once and then the last one again.
// It counts the questions.
func syncing(t *testing.T, answers ...string) (url string, asked *int) {
	t.Helper()
	asked = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		w.Write([]byte(answers[min(*asked, len(answers))-1]))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// A kubelet is asked again for some seconds, and once it has heard of its pods
// it is believed.
func TestKubeletIsAskedAgain(t *testing.T) {
	url, asked := syncing(t, nothing, nothing, list(etcd), list(etcd, api))
	var waited time.Duration
	s, err := New(url, Options{Wait: func(_ context.Context, d time.Duration) error { waited += d; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: node()})
	if err != nil || !covered || len(uses) != 2 || *asked != 4 || waited != 3*pause {
		t.Errorf("%d uses, covered %v, %v; asked %d times in %v", len(uses), covered, err, *asked, waited)
	}
}

// A kubelet that never hears of them is given up after five seconds. Who asks
// once more, as a run does, does not wait again, until it is believed.
func TestKubeletIsGivenUp(t *testing.T) {
	answers := append(make([]string, 0, questions+3), strings.Split(strings.Repeat(nothing+";", questions+1), ";")[:questions+1]...)
	url, asked := syncing(t, append(answers, list(api), nothing)...)
	var waited time.Duration
	s, err := New(url, Options{Wait: func(_ context.Context, d time.Duration) error { waited += d; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		asked  int
		waited time.Duration
		says   string
	}{
		{questions, 5 * time.Second, "could not list this node's pods from " + url + `: the list lacks pod "default/api"`},
		{questions + 1, 5 * time.Second, "the list lacks pod"},
		{questions + 2, 5 * time.Second, ""},
		{2*questions + 2, 10 * time.Second, "the list lacks pod"},
	} {
		_, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: node()})
		if want.says != "" {
			wantError(t, err, want.says)
		}
		if covered != (want.says == "") || *asked != want.asked || waited != want.waited {
			t.Errorf("covered %v, %v; asked %d times in %v, want %+v", covered, err, *asked, waited, want)
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	url, _ := syncing(t, nothing)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := New(url, Options{Wait: func(ctx context.Context, d time.Duration) error { cancel(); return sleep(ctx, d) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Uses(ctx, prune.Asked{Namespace: node()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What cannot be a list at all is not asked for again.
func TestNoListIsNotWaitedFor(t *testing.T) {
	url, asked := syncing(t, "<html>")
	s, err := New(url, Options{Wait: func(context.Context, time.Duration) error { t.Error("waited"); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Uses(t.Context(), prune.Asked{Namespace: node()}); err == nil || *asked != 1 {
		t.Errorf("got %v, asked %d times", err, *asked)
	}
}
