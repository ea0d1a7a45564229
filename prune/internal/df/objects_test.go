package df_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestUsageObjects(t *testing.T) {
	usage := tw.UsageOf(tw.UsageStore(), rules.Policy{AllNamespaces: true}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), true)
	label := map[string]string{}
	for _, s := range []string{"keep", "keep-config", "base", "keep-top", "go", "go-config", "go-top", "garbage"} {
		label[digest.FromString(s).String()] = s
	}
	label["overlayfs/"+digest.FromString("chain").String()] = "chain"
	got := map[string]string{}
	var total int64
	for _, o := range usage.Objects {
		name := label[o.Digest.String()+o.Snapshot]
		if name == "" {
			name = o.Snapshot
		}
		got[name] = fmt.Sprintf("%s %d %s %d", o.Kind, o.Layer, o.State, o.Images)
		total += o.Bytes
	}
	want := map[string]string{
		"keep": "manifest 0 unique 1", "keep-config": "config 0 unique 1", "base": "layer 1 shared 2", "keep-top": "layer 2 unique 1",
		"go": "manifest 0 reclaimable 1", "go-config": "config 0 held 1", "go-top": "layer 2 reclaimable 1", "garbage": "content 0 garbage 0",
		"chain": "snapshot 1 shared 1", "overlayfs/c": "snapshot 0 held 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if total != usage.Total.TotalBytes {
		t.Errorf("objects have %d bytes, the store %d", total, usage.Total.TotalBytes)
	}
	each, all := usage.Common(func(i int) int { return i }), usage.Common(func(int) int { return 0 })
	for place, o := range usage.Objects {
		want, wantAll := df.OfSeveral, 0
		switch o.Images {
		case 0:
			want, wantAll = df.OfNone, df.OfNone
		case 1:
			want = slices.IndexFunc(usage.Images, func(i df.ImageUsage) bool {
				return strings.HasPrefix(label[o.Digest.String()+o.Snapshot], strings.TrimSuffix(path.Base(i.Names[0]), ":1"))
			})
			if o.Digest == "" {
				want = slices.IndexFunc(usage.Images, func(i df.ImageUsage) bool { return i.Names[0] == "docker.io/library/keep:1" })
			}
		}
		if each[place] != want || all[place] != wantAll {
			t.Errorf("%s%s is of image %d, want %d; of all %d, want %d", o.Digest, o.Snapshot, each[place], want, all[place], wantAll)
		}
	}
}

func TestLayerOfARing(t *testing.T) {
	a, b := digest.FromString("a").String(), digest.FromString("b").String()
	ns := &inventory.Namespace{Snapshots: map[inventory.SnapshotKey]inventory.Snapshot{
		{Snapshotter: "s", Key: a}: {Parent: b},
		{Snapshotter: "s", Key: b}: {Parent: a},
	}}
	if got := df.LayerOf(ns, inventory.SnapshotKey{Snapshotter: "s", Key: a}); got != 0 {
		t.Errorf("layer %d of a ring", got)
	}
	ns.Name = "default"
	for id, n := range df.LayersOf(&inventory.Inventory{Namespaces: []*inventory.Namespace{ns}}) {
		if n != 0 {
			t.Errorf("%s is layer %d of a ring", id.Key, n)
		}
	}
}
