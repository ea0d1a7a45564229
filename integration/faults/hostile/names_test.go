package hostile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/leases"
)

// trap is what a shell runs that takes a name for more than a name.
const trap = "touch trapped"

// evilNames are names that mean something to somebody.
func evilNames() []string {
	return append(imagestore.HostileNames(),
		"$("+trap+")", "`"+trap+"`", ";"+trap, "| "+trap+" #", "\n"+trap+"\n", "'\";"+trap+";'\"", "&& "+trap, "-rf", "--help", "-n",
		"{{printf `%c` 27}}", "{{.}}{{template `x`}}", `</script><script>alert("evil.example")</script>`, `<img src=x onerror='alert("evil.example")'>`,
		"<!--evil.example", "]]>evil.example", "\u2066evil.example\u2069", "evil.example/zero\u200bwidth\ufeff:1", "evil.example/tag\U000e0041:1", "evil.example/nul\x00:1",
		"evil.example/10k:"+strings.Repeat("長", 10<<10/3), "%s%n%d%!", "*", "~", "#", "!!", "\\", "\x7f\x1bc", "1; DROP TABLE images", "__proto__", "constructor", "NULL",
	)
}

// cut returns what of a name fits a label.
func cut(name string) string { return strings.ToValidUTF8(name[:min(len(name), 2000)], "") }

// named plants one object of each kind for each name, and one more place that a
// name can stand in.
func (h *host) named(e *imagestore.Embedded) {
	h.t.Helper()
	s, ctx := e.Store("default"), h.t.Context()
	names := evilNames()
	img := h.make.Image(imagestore.Spec{Layers: 1, LayerBytes: 1 << 10, Labels: map[string]string{names[0]: names[1]}})
	used := h.make.Image(imagestore.Spec{Name: "evil.example/used\x1b[31m:1", Layers: 1, LayerBytes: 1 << 10})
	h.must(s.Write(ctx, img.Without(img.Layers[0].Desc.Digest)), s.Add(ctx, used))
	var records []images.Image
	for i, name := range names {
		label := cut(names[(i+1)%len(names)])
		records = append(records, images.Image{Name: name, Target: img.Target, Labels: map[string]string{label: label, "ctr-prune/note": label}})
	}
	h.must(e.Records(ctx, "default", records...))
	past := time.Now().Add(-time.Hour)
	for i, name := range names {
		spec := imagestore.LeaseSpec{ID: "lease " + name, Labels: map[string]string{"evil": "\x1b[31m\u202e"}, Resources: []clientleases.Resource{imagestore.ContentResource(img.Config.Desc.Digest)}}
		if i%2 == 0 {
			spec.Expires = past
		}
		h.must(s.Lease(ctx, spec))
		_, err := s.Ingest(ctx, "upload "+name, []byte("half of "+name))
		h.must(err)
		h.must(s.Container(ctx, imagestore.ContainerSpec{ID: fmt.Sprint("c", i), Image: name + "gone", Labels: map[string]string{"nerdctl/name": cut(name)}}))
		// No API takes such an ID.
		h.must(e.Bucket(map[string]string{"image": used.Name}, "v1", "default", "containers", "id "+name))
	}
	h.snapshots(e, names)
	h.graces(e, names, img)
}

// snapshots makes writable snapshots that nobody owns, by every name.
func (h *host) snapshots(e *imagestore.Embedded, names []string) {
	h.t.Helper()
	s := e.Store("default")
	ctx, sn := s.Context(h.t.Context()), s.Client.SnapshotService(s.Snapshotter)
	for _, name := range names {
		_, err := sn.Prepare(ctx, cut(name), "")
		h.must(err)
	}
}

// graces makes graces of runs by every name, with plans of records that have
// them too, and an interrupted run of somebody with one.
func (h *host) graces(e *imagestore.Embedded, names []string, img *imagestore.Image) {
	h.t.Helper()
	s, ctx := e.Store("default"), h.t.Context()
	owner, err := json.Marshal(map[string]any{"pid": 1 << 30, "boot": "another boot", "host": "\x1b[31m" + names[2]})
	h.must(err)
	for i, name := range names[:12] {
		dgst := numbered("plan", i)
		type record struct {
			Name   string             `json:"name"`
			Target ocispec.Descriptor `json:"target"`
		}
		plan, err := json.Marshal(map[string]any{
			"schema": 2, "run": name, "started": time.Now(), "namespace": name, "records": []record{{name + " removed", img.Target}},
		})
		h.must(err, e.Plant("default", imagestore.Plant{Digest: dgst, Data: plan, Labels: map[string]string{"ctr-prune/plan": "v1"}}))
		labels := map[string]string{"ctr-prune/run": cut(name), "ctr-prune/owner": string(owner)}
		h.must(s.Lease(ctx, imagestore.LeaseSpec{
			ID: "ctr-prune-grace-" + labels["ctr-prune/run"], Expires: time.Now().Add(time.Hour), Labels: labels,
			Resources: []clientleases.Resource{imagestore.ContentResource(dgst)},
		}))
	}
	h.must(s.Lease(ctx, imagestore.LeaseSpec{
		ID: leases.RunID, Expires: time.Now().Add(time.Hour),
		Labels: map[string]string{"ctr-prune/run": names[0], "ctr-prune/owner": string(owner)},
	}))
}

// listed are all forms in which lists are shown, with fields that name things.
func listed(fields string) [][]string {
	return [][]string{
		{"--format", "table"}, {"--format", "json"}, {"--format", "jsonl"}, {"--format", fields}, {"--format", "{{json .}}"}, {"--quiet"},
	}
}

// outputs are the commands that only look, each in all its forms.
func outputs() (all [][]string) {
	for command, fields := range map[string]string{
		"--all --dry-run": "table {{.Namespace}}\t{{.Name}}\t{{.Reason}}\t{{.Details}}", "leases": "{{.ID}} {{.Kind}} {{.Reason}}",
		"leases prune --dry-run": "{{.ID}}", "runs": "{{.Run}} {{.}}", "check": "{{.Object}} {{.Meaning}} {{.Fix}}", "df": "{{.}}",
	} {
		for _, form := range listed(fields) {
			all = append(all, append(strings.Fields(command), form...))
		}
	}
	return append(all, []string{"--all", "--dry-run", "--no-trunc"}, []string{"plan", "--all"}, []string{"df", "-v"}, []string{"df", "-v", "--format", "json"},
		[]string{"--all", "--dry-run", "--filter", "label!=x"}, []string{"--dry-run", "--all-namespaces", "--filter", "reference=*evil*"})
}

// TestNames shows names that mean something to a terminal, a shell, a browser,
// a template or a database, of everything that has one, in every output.
func TestNames(t *testing.T) {
	everywhere(t, func(h *host, e *imagestore.Embedded) { h.named(e) }, func(h *host) {
		all := outputs()
		if !h.first() {
			all = slices.DeleteFunc(all, func(args []string) bool {
				return slices.Contains(args, "--quiet") || slices.Contains(args, "--format") && !slices.Contains(args, "json")
			})
		}
		before := h.state()
		var texts []string
		for _, args := range all {
			r := h.run(args...)
			if r.Code != programs.ExitDone && args[0] != "check" || slices.Contains(args, "json") && !json.Valid([]byte(r.Stdout)) {
				h.t.Errorf("%q: exit code %d\n%.500s", args, r.Code, r.Stderr)
			}
			texts = append(texts, r.Stdout, r.Stderr)
		}
		texts = append(texts, h.explained()...)
		if h.first() {
			h.complaints()
			h.completed()
			h.pages()
			h.terminals()
		}
		h.commands(texts)
		h.same(before)
		h.done()
	})
}

// first says whether this is the combination that sees every form.
func (h *host) first() bool {
	return daemon.Long() || h.d.Running() && h.d.Version() == parts.Containerd24
}

// explained explains an object of every kind by every name.
func (h *host) explained() (texts []string) {
	names := evilNames()
	if !h.first() {
		names = names[:4]
	}
	for _, name := range names {
		if strings.ContainsRune(name, 0) || len(name) > 20_000 {
			continue
		}
		for _, what := range []string{"", "lease ", "upload ", "id "} {
			if what != "" && !daemon.Long() && len(texts) > 40 {
				break // each kind was seen by some names
			}
			r := h.run("explain", "--", what+name)
			if r.Code != programs.ExitDone && r.Code != programs.ExitUsage {
				h.t.Errorf("explain %.100q: exit code %d: %s", what+name, r.Code, r.Stderr)
			}
			texts = append(texts, r.Stdout, r.Stderr)
		}
	}
	if text := h.run("explain", "--format", "json", "--", names[0]).want(programs.ExitDone).Stdout; !json.Valid([]byte(text)) {
		h.t.Errorf("no JSON: %.500s", text)
	}
	return texts
}

// complaints gives names where they cannot be used.
func (h *host) complaints() {
	for _, name := range []string{"\x1b[31mred\u202e", "$(" + trap + ";)", "{{.X}}", "a\nb"} {
		for _, args := range [][]string{
			{"explain", "--", name}, {"undo", "--", name}, {"drop", "--force", "--", name}, {"df", "-n", name}, {"--all", "--dry-run", "-n", name}, {"df", "--format", name + "{{"},
			{"check", "--format", "{{." + name}, {"--all", "--until", name}, {"--all", "--filter", name}, {"plan", "-o", "/no/where/" + name}, {"plan", "--html", "/no/where/" + name}, {"apply", "/no/where/" + name},
		} {
			if r := h.run(args...); r.Code != programs.ExitUsage && r.Code != programs.ExitFailed {
				h.t.Errorf("%q: exit code %d\n%.500s", args, r.Code, r.Stderr)
			}
		}
	}
}

// done removes what can be, and shows it as people see it.
func (h *host) done() {
	h.run("leases", "prune", "--force").want(programs.ExitDone)
	r := h.run("--all", "--force").want(programs.ExitDone)
	if !strings.Contains(r.Stdout, "Untagged: evil.example/esc:\\x1b[31mred\\x1b[0m\n") {
		h.t.Errorf("not told in text: %.2000s", r.Stdout)
	}
	if left := h.state().Namespaces["default"].Images; len(left) != 1 {
		h.t.Errorf("%d records are left, want the one in use", len(left))
	}
}
