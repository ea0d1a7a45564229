package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/mount"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
)

// ask returns the sources of a run that asks the Engine at socket.
func ask(t *testing.T, socket string, opts ...docker.Option) pruning.Sources {
	t.Helper()
	return func(store prune.Store) []prune.Source {
		s, err := docker.New(socket, store, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return []prune.Source{s}
	}
}

// onEach runs a test on an Engine with each version of containerd: the Docker of
// most machines brings the older one.
func onEach(t *testing.T, test func(t *testing.T, e *Engine)) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) { test(t, StartOn(t, v)) })
}

// pruneAndCheck prunes the Engine's namespace with -a and makes every check
// that holds for any prune.
func pruneAndCheck(t *testing.T, e *Engine) *prune.Report {
	t.Helper()
	if err := e.Store(Namespace).Collect(t.Context()); err != nil { // containerd does so at a moment of its own
		t.Fatal(err)
	}
	containers, before := e.Containers(), e.Capture()
	report := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), nil)
	after := e.Capture()
	if refused := report.Plan.Refused; len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		t.Error(err)
	}
	var freed int64
	for dgst, size := range before.Files {
		if _, ok := after.Files[dgst]; !ok {
			freed += size
		}
	}
	if told := report.Reclaimed.ContentBytes + report.Garbage.ContentBytes; freed != told || report.Others != (prune.Amount{}) {
		t.Errorf("%d bytes are gone from the disk, the report says %d, and %v of others", freed, told, report.Others)
	}
	e.CheckOwn(before, after)
	e.CheckContainers(containers)
	return report
}

// reasons tells what the plan says of the records whose name contains a text.
func reasons(plan *prune.Plan, part string) []string {
	var out []string
	for _, d := range plan.Decisions {
		if strings.Contains(d.Name, part) {
			out = append(out, fmt.Sprint(d.Action, ": ", d.Reason))
		}
	}
	return out
}

// byAction groups the names that the plan decides about by what it does.
func byAction(plan *prune.Plan) map[string][]string {
	actions := make(map[string][]string)
	for _, d := range plan.Decisions {
		action := fmt.Sprint(d.Action)
		actions[action] = append(actions[action], strings.TrimPrefix(d.Name, "docker.io/library/"))
	}
	return actions
}

func standIn(img *imagestore.Image) string { return "moby-dangling@" + img.Target.Digest.String() }

func imageMount(source string) mount.Mount {
	return mount.Mount{Type: mount.TypeImage, Source: source, Target: "/mounted"}
}

// Every spelling by which a container can name its image.
func TestContainersByEverySpelling(t *testing.T) { onEach(t, testContainersByEverySpelling) }

func testContainersByEverySpelling(t *testing.T, e *Engine) {
	e.Image("docker.io/library/named:1")
	e.Tag("named:1", "named:other")
	e.Create("brave_curie", "named:1")

	// create by a:1; tag it z:1; remove a:1: docker image prune -a loses it.
	other := e.Image("docker.io/library/a:1")
	e.Create("other_tag", "a:1")
	e.Tag("a:1", "z:1")
	e.Untag("a:1", false)

	short := e.Image("docker.io/library/short:1")
	e.Create("short_id", short.Target.Digest.Encoded()[:12])
	full := e.Image("docker.io/library/full:1")
	e.Create("full_id", full.Target.Digest.String())
	digested := e.Image("docker.io/library/digested:1")
	e.Create("digested", "digested@"+digested.Target.Digest.String())
	both := e.Image("docker.io/library/both:1")
	e.Create("both", "both:1@"+both.Target.Digest.String())

	// The name moves to another image: both are in use.
	moved := e.Image("docker.io/library/moved:1")
	e.Create("moved", "moved:1")
	e.Image("docker.io/library/moved:1")

	e.Image("docker.io/library/unused:1")
	e.Image("docker.io/library/unused:2")

	plan := pruning.Plan(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()))
	want := []string{"keep: in use by Docker container brave_curie, created", "remove: unused"}
	if diff := cmp.Diff(want, reasons(plan, "/named:")); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	actions := map[string][]string{
		"keep":     {"both:1", "moved:1", "named:1", standIn(moved)},
		"stand-in": {"digested:1", "full:1", "short:1", "z:1"},
		"remove":   {"named:other", "unused:1", "unused:2"},
	}
	if diff := cmp.Diff(actions, byAction(plan)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	report := pruneAndCheck(t, e)
	if len(report.Untagged) != 7 {
		t.Errorf("untagged %v, want seven", report.Untagged)
	}
	kept := []string{
		"named:1", "both:1", "moved:1",
		standIn(other), standIn(short), standIn(full), standIn(digested), standIn(moved),
	}
	slices.Sort(kept)
	if diff := cmp.Diff(kept, e.Records()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"<none>", "<none>", "<none>", "<none>", "<none>", "both:1", "moved:1", "named:1"}, e.Names()); diff != "" {
		t.Errorf("what Docker lists (-want +got):\n%s", diff)
	}

	// Nothing is left to do, and the stand-ins stay while they are in use.
	again := pruning.Run(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()), nil)
	if len(again.Untagged) != 0 {
		t.Errorf("the second run untagged %v", again.Untagged)
	}
}

// Every state that a container can be in.
func TestContainersInEveryState(t *testing.T) { onEach(t, testContainersInEveryState) }

func testContainersInEveryState(t *testing.T, e *Engine) {
	for _, state := range []string{"created", "running", "stopped", "paused"} {
		for _, how := range []string{"name", "id"} {
			image := state + "-" + how
			img := e.Image("docker.io/library/" + image + ":1")
			by := image + ":1"
			if how == "id" {
				by = img.Target.Digest.Encoded()[:12]
			}
			id := e.Create(image, by)
			if state == "created" {
				continue
			}
			e.StartContainer(id)
			switch state {
			case "stopped":
				e.StopContainer(id)
			case "paused":
				e.PauseContainer(id)
			}
		}
	}
	plan := pruning.Plan(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()))
	for _, state := range []string{"created", "running", "stopped", "paused"} {
		want := []string{fmt.Sprintf("keep: in use by Docker container %s-name, %s", state, state)}
		if diff := cmp.Diff(want, reasons(plan, state+"-name")); diff != "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
	}
	report := pruneAndCheck(t, e)
	// While a container runs, containerd knows a name of its image, too.
	if len(report.Untagged) != 2 || !untagged(report, "docker.io/library/created-id:1") || !untagged(report, "docker.io/library/stopped-id:1") {
		t.Errorf("untagged %v, want the names of the images that are in use by ID only", report.Untagged)
	}
	if report.Reclaimed != (prune.Amount{}) {
		t.Errorf("reclaimed %v although all images are in use", report.Reclaimed)
	}
}

// Images that containers mount, and what is left when their container goes.
func TestImageMounts(t *testing.T) { onEach(t, testImageMounts) }

func testImageMounts(t *testing.T, e *Engine) {
	e.Image("docker.io/library/app:1")
	e.Image("docker.io/library/data:1")
	e.Create("mounts_name", "app:1", imageMount("data:1"))
	byID := e.Image("docker.io/library/by-id:1")
	e.Create("mounts_id", "app:1", imageMount(byID.Target.Digest.String()))
	moved := e.Image("docker.io/library/moved:1")
	e.Run("mounts_moved", "app:1", imageMount("moved:1"))
	e.Image("docker.io/library/moved:1")
	e.Untag("moved:1", false)

	plan := pruning.Plan(t, e.Address(), pruning.All(Namespace), ask(t, e.Socket()))
	want := []string{"keep: in use by an image mount of Docker container mounts_name, created"}
	if diff := cmp.Diff(want, reasons(plan, "/data:")); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	pruneAndCheck(t, e)
	kept := []string{"app:1", "data:1", standIn(byID), standIn(moved)}
	slices.Sort(kept)
	if diff := cmp.Diff(kept, e.Records()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// same fails the test if anything in the namespaces changed.
func same(t *testing.T, before, after *oracle.State, namespaces ...string) {
	t.Helper()
	changes := oracle.Diff(before, after)
	for _, all := range [][]string{changes.Added, changes.Removed, changes.Changed} {
		for _, change := range all {
			if ns, _, _ := strings.Cut(change, " "); slices.Contains(namespaces, ns) {
				t.Errorf("changed: %s", change)
			}
		}
	}
}
