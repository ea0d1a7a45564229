package clients

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

func TestNerdctlImageMounts(t *testing.T) {
	holder := cause.Holder{Kind: "container", ID: "1f00", Name: "web-1", Client: "nerdctl", State: "image mount"}
	view := func(key, image string) inventory.Use {
		return inventory.Use{Holder: holder, Image: image, Snapshot: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: key}}
	}
	for name, test := range map[string]struct {
		labels map[string]string
		want   []inventory.Use
		err    string
	}{
		"no mounts": {},
		"mounts, but of no image": {
			labels: map[string]string{"nerdctl/mounts": `[{"Type":"bind","Source":"/etc"}]`},
		},
		"mounts that nobody can read, but of no image": {labels: map[string]string{"nerdctl/mounts": "?"}},
		"two": {
			labels: map[string]string{
				"nerdctl/image-mount-snapshots": `["a-image-mount","b-image-mount"]`,
				"nerdctl/mounts.0":              `{"Type":"image","Source":"models:1"}`,
				"nerdctl/mounts.1":              `{"Type":"volume","Source":"/v"}`,
				"nerdctl/mounts.2":              `{"Type":"image","Source":"rules"}`,
			},
			want: []inventory.Use{view("a-image-mount", "models:1"), view("b-image-mount", "rules")},
		},
		"a view of nobody knows which": {
			labels: map[string]string{
				"nerdctl/image-mount-snapshots": `["a","b"]`,
				"nerdctl/mounts.0":              `{"Type":"image","Source":"models:1"}`,
			},
			want: []inventory.Use{view("a", ""), view("b", ""), {Holder: holder, Image: "models:1"}},
		},
		"all in one label": {
			labels: map[string]string{
				"nerdctl/image-mount-snapshots": `["a"]`,
				"nerdctl/mounts":                `[{"Type":"image","Source":"models:1"}]`,
			},
			want: []inventory.Use{view("a", "models:1")},
		},
		"views that cannot be read":  {labels: map[string]string{"nerdctl/image-mount-snapshots": `"a"`}, err: "image-mount-snapshots"},
		"mounts that cannot be read": {labels: map[string]string{"nerdctl/image-mount-snapshots": `[]`, "nerdctl/mounts.0": `[]`}, err: "the mounts"},
	} {
		t.Run(name, func(t *testing.T) {
			labels := map[string]string{inventory.LabelNerdctlName: "web-1"}
			for key, value := range test.labels {
				labels[key] = value
			}
			got, err := NerdctlUses(containers.Container{ID: "1f00", Snapshotter: "overlayfs", Labels: labels})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("uses (-want +got), error %v:\n%s", err, diff)
			}
		})
	}
}
