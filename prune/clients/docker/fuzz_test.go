package docker

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The seeds are in testdata/fuzz. To look for more: go test -fuzz FuzzContainers ./prune/docker

// A list that an Engine sends is refused, or each of its containers that was
// made from an image claims it.
func FuzzContainers(f *testing.F) {
	f.Fuzz(func(t *testing.T, answer []byte) {
		var list []container.Summary
		if json.Unmarshal(answer, &list) != nil || wellFormed(list) != nil {
			return
		}
		seen := make(map[string]bool)
		for _, c := range list {
			if !isID(c.ID) || seen[c.ID] {
				t.Errorf("container %q is well formed", c.ID)
			}
			seen[c.ID] = true
			uses := containerUses(nil, c, c.Image, prune.SnapshotKey{})
			if (len(uses) == 0) != (c.ImageID == "") {
				t.Errorf("container %+v has the uses %+v", c, uses)
			}
			for _, use := range uses {
				if !slices.Contains(use.Digests, digest.Digest(c.ImageID)) || use.Holder.ID != c.ID || use.Holder.Name == "" {
					t.Errorf("container %s uses %+v", c.ID, use)
				}
			}
			for _, m := range c.Mounts {
				if !isID(mountLayer(c.ID, m)) {
					t.Errorf("mount %+v has no layer", m)
				}
			}
		}
	})
}

// What follows a tag in full is no tag any more: the name of one is its own.
func FuzzTag(f *testing.F) {
	f.Fuzz(func(t *testing.T, typed string) {
		tag := tagOf(typed)
		if tag != "" && (tagOf(tag) != "" || tagOf(tag+"@"+target.String()) != tag) {
			t.Errorf("%q has the tag %q, which has %q", typed, tag, tagOf(tag))
		}
	})
}

// A host is refused, or is a path that is the same when it is given again.
func FuzzHost(f *testing.F) {
	f.Fuzz(func(t *testing.T, host string) {
		path, err := socketPath(host)
		if err != nil {
			return
		}
		if again, err := socketPath(path); err != nil || again != path || path == "" {
			t.Errorf("%q is the path %q, which is %q, %v", host, path, again, err)
		}
	})
}
