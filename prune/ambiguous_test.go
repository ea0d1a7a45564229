package prune_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// message is a message of another client's as it lies in the store.
type message string

func (m message) GetTypeUrl() string { return "x" }

func (m message) GetValue() []byte { return []byte(m) }

// Every JSON text that decides something is refused where other programs may
// read it in another way, with a key twice or in another case.
func TestAmbiguousTextsAreRefused(t *testing.T) {
	const dgst = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	plan := func(image string) error {
		_, err := rules.ParseSelection(strings.NewReader(`{"schemaVersion": 1, "kind": "plan", "store": {"id": "x"}, "images": [{"name": "a", "target": "` + dgst + `", ` + image + `}]}`))
		var policy *rules.PolicyError
		if err != nil && !errors.As(err, &policy) {
			t.Errorf("the plan file: %v is no *PolicyError", err)
		}
		return err
	}
	cri := func(metadata string) error {
		_, err := inventory.ContainerUse(containers.Container{Extensions: map[string]typeurl.Any{inventory.ExtensionCRIContainer: message(metadata)}})
		return err
	}
	nerdctl := func(labels map[string]string) error {
		_, err := clients.NerdctlUses(containers.Container{Labels: labels})
		return err
	}
	blob := func(text string) error { _, err := journal.ParsePlanBlob([]byte(text)); return err }
	document := func(text string) error { _, err := manifests.ParseDocument([]byte(text), nil); return err }
	for name, c := range map[string]struct {
		err  error
		want string // "" if it is none
	}{
		"a plan":                     {plan(`"action": "remove"`), ""},
		"a plan, other case":         {plan(`"action": "keep", "Action": "remove"`), `it has the key "Action" in images[0], which some programs read as "action"`},
		"a plan, only other case":    {plan(`"ACTION": "remove"`), `some programs read as "action"`},
		"a plan, twice":              {plan(`"action": "keep", "action": "remove"`), `it has the key "action" twice in images[0]`},
		"a plan, escaped":            {plan(`"action": "keep", "\u0061ction": "remove"`), `it has the key "action" twice in images[0]`},
		"a plan, deep":               {plan(`"x": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300)), "nested deeper"},
		"CRI":                        {cri(`{"Version": "v1", "Metadata": {"ImageRef": "` + dgst + `"}}`), ""},
		"CRI, other case":            {cri(`{"Version": "v1", "Metadata": {"ImageRef": "` + dgst + `", "imageRef": "` + dgst + `"}}`), `"imageRef" in Metadata`},
		"CRI, twice":                 {cri(`{"Version": "v1", "Metadata": {"ImageRef": "` + dgst + `", "ImageRef": "` + dgst + `"}}`), `"ImageRef" twice in Metadata`},
		"nerdctl, views":             {nerdctl(map[string]string{clients.LabelNerdctlViews: `["a"]`, clients.LabelNerdctlMounts: `[{"Type": "image", "Source": "a"}]`}), ""},
		"nerdctl, mounts, twice":     {nerdctl(map[string]string{clients.LabelNerdctlViews: `[]`, clients.LabelNerdctlMounts: `[{"Type": "image", "Type": "bind"}]`}), `"Type" twice`},
		"nerdctl, mount, other case": {nerdctl(map[string]string{clients.LabelNerdctlViews: `[]`, clients.LabelNerdctlMounts + ".0": `{"Type": "image", "source": "a"}`}), `"source"`},
		"a run's plan":               {blob(`{"schema": 2, "records": []}`), ""},
		"a run's plan, twice":        {blob(`{"schema": 2, "records": [], "records": []}`), `"records" twice`},
		"a run's plan, other case":   {blob(`{"schema": 2, "records": [{"Name": "a"}]}`), `"Name" in records[0]`},
		"a manifest":                 {document(`{"config": {"digest": "` + dgst + `"}, "annotations": {"a": "1", "A": "2"}}`), ""},
		"a manifest, twice":          {document(`{"subject": {"digest": "` + dgst + `"}, "subject": null}`), `"subject" twice`},
		"a manifest, other case":     {document(`{"manifests": [{"Digest": "` + dgst + `"}]}`), `"Digest" in manifests[0]`},
	} {
		switch {
		case c.want == "" && c.err != nil:
			t.Errorf("%s: %v", name, c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", name, c.err, c.want)
		}
	}
}
