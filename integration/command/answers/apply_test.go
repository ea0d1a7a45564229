package answers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// change changes the store between a plan and what is done with it.
func (n *node) change(fn func(s imagestore.Store) error) {
	n.t.Helper()
	if n.stopped {
		n.daemon.Offline(func(e *imagestore.Embedded) error { return fn(e.Store("default")) })
		return
	}
	n.must(fn(n.daemon.Store("default")))
}

// apply does exactly the plan, or less where the store has changed.
func TestApplyDoesThePlanOrLess(t *testing.T) {
	everywhere(t, func(n *node) {
		ctx, file := t.Context(), filepath.Join(t.TempDir(), "plan.json")
		before := n.state()
		r := n.run(0, "plan", "--all", "-o", file)
		n.wantText(r.Stderr, "removes 5 of 6 image records", "ctr-prune apply "+strings.Join(n.where(), " ")+" "+file)
		n.wantSame(before)
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the plan file: %v, %v", info.Mode(), err)
		}
		extra := imagestore.New(9).Image(imagestore.Spec{Name: "docker.io/library/new:1"})
		n.change(func(s imagestore.Store) error {
			for _, err := range []error{
				s.Add(ctx, extra), // not in the plan
				s.Tag(ctx, n.used.Name, "docker.io/library/app:latest"), // moved
				s.Container(ctx, imagestore.ContainerSpec{ID: "late", Image: n.built.Name, Of: n.built}),
				s.Untag(ctx, n.dangling.Name),
				s.Pin(ctx, n.base.Name),
			} {
				if err != nil {
					return err
				}
			}
			return nil
		})
		n.run(0, "apply", "--dry-run", file)
		doc := decode[prune.Document](n, n.run(0, "apply", "--force", "--format", "json", file).Stdout)
		if len(doc.Untagged) != 1 || doc.Untagged[0].Name != n.app.Name || doc.Reclaimed != doc.Predicted {
			t.Errorf("removed %v, reclaimed %+v, predicted %+v", doc.Untagged, doc.Reclaimed, doc.Predicted)
		}
		reasons := make(map[string]string)
		for _, s := range doc.Dropped {
			reasons[s.Name] = s.Reason
		}
		for name, want := range map[string]string{
			"docker.io/library/app:latest": "moved to another image", n.built.Name: "container late",
			n.dangling.Name: "it is gone", n.base.Name: "pinned",
		} {
			if !strings.Contains(reasons[name], want) {
				t.Errorf("%s was left alone because %q, want %q", name, reasons[name], want)
			}
		}
		// Once more, from stdin: everything is done or left alone already.
		b, err := os.ReadFile(file)
		n.must(err)
		again := decode[prune.Document](n, n.runWith(string(b), 0, "apply", "--force", "--format", "json", "-").Stdout)
		if len(again.Untagged) > 0 {
			t.Errorf("a second time: %v", again.Untagged)
		}
	})
}

func TestPlanFilesThatAreRefused(t *testing.T) {
	everywhere(t, func(n *node) {
		before := n.state()
		plan := n.run(0, "plan", "--all").Stdout
		store := decode[prune.Document](n, plan).Store.ID
		for want, text := range map[string]string{
			"the plan is for store":          strings.ReplaceAll(plan, store, "another"),
			"schema version 99":              strings.Replace(plan, `"schemaVersion": 1`, `"schemaVersion": 99`, 1),
			`its kind is "report"`:           strings.Replace(plan, `"kind": "plan"`, `"kind": "report"`, 1),
			"not a plan file":                "garbage",
			`an unknown action "obliterate"`: strings.Replace(plan, `"action": "remove"`, `"action": "obliterate"`, 1),
			"does not say for which store":   strings.ReplaceAll(plan, store, ""),
		} {
			n.wantText(n.runWith(text, 2, "apply", "--force", "-").Stderr, want)
		}
		n.wantText(n.run(2, "apply", "--force", "/no/such/file").Stderr, "the plan cannot be read")
		link := filepath.Join(t.TempDir(), "link")
		n.must(os.Symlink("/tmp/elsewhere", link))
		n.wantText(n.run(2, "plan", "--all", "-o", link).Stderr, "symbolic link")
		n.wantSame(before)
	})
}
