package docker

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"

	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
)

// An Engine that goes away while a run is under way: what the run deleted in
// its namespace is put back.
func TestEngineGoesAwayDuringRun(t *testing.T) {
	e := Start(t)
	four(t, e)
	e.Create("late", "unused:1")
	e.Remove("late")
	before := e.Capture()
	report, err := pruning.Try(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), e.StopEngine)
	if report == nil || len(report.Untagged) != 0 {
		t.Errorf("untagged %+v", report)
	}
	if err == nil || !strings.Contains(err.Error(), `nothing is removed from namespace "moby"`) {
		t.Errorf("the run ended with %v", err)
	}
	same(t, e.Capture(), before, Namespace+"_history")
	if _, ok := e.Capture().Namespaces[Namespace].Images["docker.io/library/unused:1"]; !ok {
		t.Error("unused:1 is gone")
	}
	e.StartEngine()
	if !slices.Contains(e.Names(), "unused:1") {
		t.Error("Docker has lost unused:1")
	}
}

// What the Engine says of a container's image does not cancel what the
// container's files stand on.
func TestEngineNamesAnotherImage(t *testing.T) {
	onEach(t, func(t *testing.T, e *Engine) {
		mine, other := e.Image("docker.io/library/mine:1"), e.Image("docker.io/library/other:1")
		e.Image("docker.io/library/unused:1")
		id := e.Create("created", "mine:1")
		socket := e.Behind(t, OnList(func(list *[]container.Summary) {
			c := &(*list)[0]
			c.Image, c.ImageID, c.ImageManifestDescriptor = "other:1", other.Target.Digest.String(), nil
		}))
		report := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, socket), nil)
		if diff := cmp.Diff([]string{standIn(mine), "other:1"}, e.Records()); diff != "" {
			t.Errorf("records (-want +got):\n%s\n%v", diff, report.Untagged)
		}
		e.StartContainer(id)
	})
}

// A container that is made between the plan and the run keeps its image.
func TestContainerMadeDuringRun(t *testing.T) {
	e := Start(t)
	four(t, e)
	report := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), func() {
		e.Create("late", "unused:1")
	})
	if len(report.Untagged) != 0 {
		t.Errorf("untagged %v", report.Untagged)
	}
	e.CheckContainers(e.Containers())
}
