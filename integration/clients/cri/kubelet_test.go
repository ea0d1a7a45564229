package cri_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/kubelet"
)

// podFile writes a list of one pod as the kubelet gives it.
func podFile(t *testing.T, phase string, spec map[string]any) string {
	t.Helper()
	list, err := json.Marshal(map[string]any{
		"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{},
		"items": []any{map[string]any{
			"metadata": map[string]any{"name": "next", "namespace": "default"},
			"spec":     spec, "status": map[string]any{"phase": phase},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return textFile(t, string(list))
}

func textFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pods.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func podsFrom(t *testing.T, from string, opts kubelet.Options) prune.Source {
	t.Helper()
	source, err := kubelet.New(from, opts)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestImagesOfPendingPodsStay(t *testing.T) {
	n := cri.Start(t, parts.Containerd24)
	app := n.Pulled("docker.io/library/app", "1")
	setup := n.Pulled("registry.example/setup", "1")
	debug := n.Pulled("registry.example/debug", "1")
	models := n.Pulled("registry.example/models", "1")
	stray := n.Pulled("docker.io/library/stray", "1")
	container := func(name, image string) map[string]any { return map[string]any{"name": name, "image": image} }
	file := podFile(t, "Pending", map[string]any{
		"initContainers":      []any{container("setup", "registry.example/setup@"+setup.Target.Digest.String())},
		"containers":          []any{container("app", "app:1"), container("new", "registry.example/not-pulled-yet:1")},
		"ephemeralContainers": []any{container("debug", debug.Config.Desc.Digest.String())},
		"volumes":             []any{map[string]any{"name": "m", "image": map[string]any{"reference": "registry.example/models:1"}}},
	})

	p := pruneAll(t, n, podsFrom(t, file, kubelet.Options{}))
	p.wantGone(t, stray)
	for name, want := range map[string]string{
		"docker.io/library/app:1":   "in use by pod default/next, container app, pending",
		"registry.example/setup:1":  "in use by pod default/next, container setup, pending",
		"registry.example/debug:1":  "in use by pod default/next, container debug, pending",
		"registry.example/models:1": "in use by pod default/next, image volume, pending",
	} {
		if got := p.reason(t, name); !strings.Contains(got, want) {
			t.Errorf("%s is kept for %q, want %q", name, got, want)
		}
	}
	if notes := p.plan.Notes; len(notes) != 1 || notes[0].ReasonCode != "image-absent" || !strings.Contains(notes[0].Reason, "not-pulled-yet") {
		t.Errorf("notes %+v", notes)
	}
	wantClean(t, n)
	wantUsable(t, n, "app:1", setup.Config.Desc.Digest.String())

	// Without the kubelet's word they are unused.
	pruneAll(t, n).wantGone(t, app, setup, debug, models)
	wantClean(t, n)
}

// A run that is told of pods while it lasts leaves their images alone.
func TestPodBoundAfterThePlanKeepsItsImage(t *testing.T) {
	n := cri.Start(t, parts.Containerd24)
	n.Pulled("docker.io/library/app", "1")
	stray := n.Pulled("docker.io/library/stray", "1")
	other := listOf(item("other", "uid-of-other", "other:1"))
	bound, err := os.ReadFile(podFile(t, "Pending", map[string]any{"containers": []any{map[string]any{"name": "app", "image": "app:1"}}}))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if asked == 1 {
			w.Write([]byte(other))
			return
		}
		w.Write(bound)
	}))
	defer server.Close()
	pruneAll(t, n, podsFrom(t, server.URL+"/pods", kubelet.Options{Insecure: true})).wantGone(t, stray)
	if asked < 2 {
		t.Errorf("the kubelet was asked %d times", asked)
	}
	wantUsable(t, n, "app:1")
}

func TestPodsThatCannotBeLearnedCloseTheirNamespace(t *testing.T) {
	n := cri.Start(t, parts.Containerd24)
	n.Pulled("docker.io/library/app", "1")
	gone := httptest.NewTLSServer(http.NotFoundHandler())
	gone.Close()
	denied := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer denied.Close()
	half, err := os.ReadFile(podFile(t, "Running", map[string]any{"containers": []any{map[string]any{"name": "a", "image": "a"}}}))
	if err != nil {
		t.Fatal(err)
	}
	forbidden := textFile(t, "")
	if err := os.Remove(forbidden); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]prune.Source{
		"socket gone":       podsFrom(t, gone.URL, kubelet.Options{Insecure: true}),
		"permission denied": podsFrom(t, denied.URL, kubelet.Options{Insecure: true}),
		"garbled":           podsFrom(t, textFile(t, "<html>"), kubelet.Options{}),
		"half a list":       podsFrom(t, textFile(t, string(half[:len(half)/2])), kubelet.Options{}),
		"not a pod list":    podsFrom(t, textFile(t, `{"kind":"NodeList","apiVersion":"v1","items":[]}`), kubelet.Options{}),
		"no file":           podsFrom(t, forbidden, kubelet.Options{}),
	} {
		t.Run(name, func(t *testing.T) { wantClosed(t, n, run{sources: []prune.Source{source}}) })
	}
}

// wantClosed runs over k8s.io and default: nothing goes from the first, for a
// reason in one sentence, and the second is pruned.
func wantClosed(t *testing.T, n *cri.Node, r run) {
	t.Helper()
	other := n.Image()
	if err := n.Store("default").Add(t.Context(), other, "other:1"); err != nil {
		t.Fatal(err)
	}
	r.namespaces = []string{"default", cri.Namespace}
	p, err := r.on(t, n)
	if err != nil {
		t.Error(err)
	}
	refused := p.plan.Refused
	if len(refused) != 1 || refused[0].Namespace != cri.Namespace || strings.Contains(refused[0].Reason, "\n") {
		t.Errorf("refused: %q", refused)
	}
	p.wantGone(t)
	if names := untagged(p.report); !slices.Equal(names, []string{"other:1"}) {
		t.Errorf("untagged %q, want only the image of the other namespace", names)
	}
	wantClean(t, n)
}

func untagged(r *prune.Report) (names []string) {
	for _, record := range r.Untagged {
		names = append(names, record.Name)
	}
	return names
}
