package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/build"

	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What a rebuild leaves: the image that was replaced is dangling, and stays
// as long as a container is made from it.
func TestRebuild(t *testing.T) {
	e := Start(t)
	var replaced []string
	for i := range 3 {
		e.Build(build.BuilderV1, "built:1", e.dockerfile(i))
		name := fmt.Sprint("of_build_", i)
		e.Create(name, "built:1")
		replaced = append(replaced, "moby-dangling@"+e.Containers()[name].ImageID)
	}
	e.Remove("of_build_1")
	e.Remove("of_build_2")
	report := pruning.Run(t, e.Address(), pruning.Dangling(Namespace), ask(t, e.Socket()), nil)
	if !untagged(report, replaced[1]) || untagged(report, replaced[0]) {
		t.Errorf("untagged %v, want %s and not %s", report.Untagged, replaced[1], replaced[0])
	}
	pruneAndCheck(t, e)
	// The container's name for its image is built:1, whatever that is now.
	if diff := cmp.Diff([]string{"built:1", replaced[0]}, e.Records()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// What BuildKit in dockerd leaves: cache and history. Both stay, whatever is
// pruned, and the cache is good for another build.
func TestBuildKitInDocker(t *testing.T) {
	e := Start(t)
	files := e.dockerfile(0)
	e.Build(build.BuilderBuildKit, "built:1", files)
	e.Build(build.BuilderBuildKit, "built:in-use", e.dockerfile(1))
	e.Create("of_build", "built:in-use")
	wantLeases(t, e, map[leases.Kind]bool{leases.KindDocker: true, leases.KindCache: true, leases.KindHistory: true})
	before := e.Capture()
	report := pruneAndCheck(t, e)
	after := e.Capture()
	if !untagged(report, "docker.io/library/built:1") || len(report.Untagged) != 1 {
		t.Errorf("untagged %v, want built:1", report.Untagged)
	}
	same(t, before, after, Namespace+"_history")
	e.CheckOwn(before, after)
	holders := make(map[string]bool)
	for _, h := range report.Held {
		what, hint, _ := strings.Cut(h.Holder, " (lease ")
		_, hint, _ = strings.Cut(hint, "; ")
		holders[what+"; "+hint] = true
	}
	for _, want := range []string{"build cache; `docker builder prune` frees it", "build history; `docker buildx history rm` frees it"} {
		if !holders[want] {
			t.Errorf("%q is not among what holds the rest: %v", want, report.Held)
		}
	}
	e.Build(build.BuilderBuildKit, "built:again", files)
	e.Run("of_cache", "built:again")
}

// wantLeases compares the kinds of lease that there are, but for those that go
// by themselves.
func wantLeases(t *testing.T, e *Engine, want map[leases.Kind]bool) {
	t.Helper()
	store, err := prune.Open(t.Context(), e.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	list, err := prune.Leases(t.Context(), store, time.Now(), prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[leases.Kind]bool)
	for _, lease := range list {
		if lease.Kind != leases.KindPull && lease.Kind != leases.KindBuild && lease.Kind != leases.KindView {
			got[lease.Kind] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("leases of the kinds %v, want %v", got, want)
	}
}

// BuildKit in dockerd makes no dangling image of the one that it replaces:
// Docker loses it by itself, and its container cannot be committed any more.
// A prune must not make that worse.
func TestContainerOfReplacedBuild(t *testing.T) { onEach(t, testContainerOfReplacedBuild) }

func testContainerOfReplacedBuild(t *testing.T, e *Engine) {
	e.Build(build.BuilderBuildKit, "built:1", e.dockerfile(0))
	id := e.Create("of_replaced", "built:1")
	e.Build(build.BuilderBuildKit, "built:1", e.dockerfile(1))
	before := e.Capture()
	report := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), nil)
	if len(report.Untagged) != 0 {
		t.Errorf("untagged %v, although the container's name for its image is built:1", report.Untagged)
	}
	e.CheckOwn(before, e.Capture())
	e.StartContainer(id)
	if state := e.Containers()["of_replaced"].State; state != "running" {
		t.Errorf("the container is %s", state)
	}
}

// dockerfile is a build that runs a program, in one of several versions.
func (e *Engine) dockerfile(version int) map[string]string {
	return map[string]string{
		"Dockerfile": "FROM scratch\nCOPY program /program\nCOPY data /data\nRUN [\"/program\", \"exit\"]\nCMD [\"/program\"]\n",
		"program":    string(e.Program),
		"data":       fmt.Sprint("version ", version),
	}
}

func untagged(report *prune.Report, name string) bool {
	return slices.ContainsFunc(report.Untagged, func(r prune.Record) bool { return r.Name == name })
}
