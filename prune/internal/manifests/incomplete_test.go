package manifests_test

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
)

// blobsOf makes the blobs of a namespace: each with what it refers to.
func blobsOf(refs map[string]map[string]string) *inventory.Namespace {
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]inventory.Blob)}
	for name, children := range refs {
		labels := make(map[string]string)
		for key, child := range children {
			labels["containerd.io/gc.ref.content."+key] = digest.FromString(child).String()
		}
		ns.Blobs[digest.FromString(name)] = inventory.Blob{Labels: inventory.LabelsOf(labels)}
	}
	return ns
}

func TestLacks(t *testing.T) {
	ns := blobsOf(map[string]map[string]string{
		"config": nil, "layer": nil,
		"whole":     {"config": "config", "l.0": "layer"},
		"broken":    {"config": "config", "l.0": "absent layer"},
		"no config": {"config": "absent config"},
		"index":     {"m.0": "absent manifest", "m.1": "whole"},
		"inner":     {"m.0": "broken"},
		"shared":    {"m.0": "broken", "m.1": "inner"},
		"circle":    {"m.0": "circle"},
		"cache":     {"l.0": "absent layer"},
	})
	l := manifests.NewCompleteness(ns)
	for name, want := range map[string]string{
		"whole": "", "index": "", "cache": "",
		"broken": "neither in the store nor unpacked", "no config": "its config", "gone": "is not in the store",
		"shared": "none of its platforms is complete", "circle": "refers to itself",
	} {
		got := l.Lacks(digest.FromString(name)).Reason
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s lacks %q, want %q", name, got, want)
		}
	}
}

// A name goes into a command to copy only if a shell takes it as it is.
func TestPullName(t *testing.T) {
	for name, want := range map[string]string{
		"docker.io/library/app:1": "docker.io/library/app:1",
		"$(reboot)":               "REFERENCE", "a;b": "REFERENCE", "--all": "REFERENCE", "a b": "REFERENCE", "a\nb": "REFERENCE", "": "REFERENCE",
	} {
		if got := manifests.PullName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
