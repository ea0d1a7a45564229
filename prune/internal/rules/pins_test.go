package rules_test

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Labels that look as if they kept their image are told from those that do and
// from anybody's own.
func TestLookalikes(t *testing.T) {
	const ours, cri = "ctr-prune/keep=yes", "io.cri-containerd.pinned=pinned"
	for label, want := range map[string]string{
		"io.cri.containerd.pinned=pinned": cri, "io.cri-containerd.pinned=true": cri, "io.cri-containerd/pinned=pinned": cri,
		"IO.cri-containerd.Pinned=pinned": cri, "kubernetes.io/pinned=1": cri,
		"pinned=true": ours, "pin=x": ours, "keep=yes": ours, "ctr-prune.keep=yes": ours, "ctr-prune/Keep=yes": ours,
		"ctrprune/keep=yes": ours, "ctr-prune/pinned=pinned": ours, "io.containerd.image.pinned=true": ours,
		"containerd.io/gc-root=now": ours, "gc.root=1": ours, "noprune=1": ours,

		"ctr-prune/keep=no": "", "io.cri-containerd.pinned=pinned": "", "containerd.io/gc.root=x": "", "containerd.io/gc.root/mine=x": "",
		"pinned=false": "", "io.cri-containerd.pinned=no": "", "io.cri-containerd.image=managed": "", "io.cattle.k3s.pinned=pinned": "",
		"example.com/keep=yes": "", "keeper=me": "", "root=a": "", "team=web": "", "containerd.io/gc.ref.content.0=x": "",
	} {
		key, value, _ := strings.Cut(label, "=")
		record := &images.Image{Name: "a:1", Labels: map[string]string{key: value}}
		u := &rules.Unit{Records: []*images.Image{record}}
		found := rules.Lookalikes(&inventory.Namespace{Name: "x"}, record, func() *rules.Unit { return u })
		got := ""
		if len(found) == 1 {
			got = strings.TrimPrefix(found[0].ReasonParts.Command, "ctr -n x images label a:1 ")
		}
		if got != want || len(found) > 1 {
			t.Errorf("%s: %v, want %q", label, found, want)
		}
		u.Records = append(u.Records, &images.Image{Name: "b:1", Labels: map[string]string{rules.LabelKeep: "yes"}})
		if found := rules.Lookalikes(&inventory.Namespace{Name: "x"}, record, func() *rules.Unit { return u }); len(found) > 0 {
			t.Errorf("%s: %v, although another name keeps the image", label, found)
		}
	}
}
