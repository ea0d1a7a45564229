package kubelet

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The seeds are in testdata/fuzz. To look for more: go test -fuzz FuzzParse ./prune/kubelet

// A list is refused in a sentence, or every image that a specification names is
// in use.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, list []byte) {
		uses, err := parse(list)
		if err != nil {
			if uses != nil || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("uses %v, and the error %q", uses, err)
			}
			return
		}
		for _, use := range uses {
			if use.Image == "" || !strings.Contains(use.Holder.ID, "/") || use.Holder.Kind != "pod" {
				t.Errorf("a use of nothing, or by nobody: %+v", use)
			}
			for _, dgst := range use.Digests {
				if dgst.Validate() != nil {
					t.Errorf("%q is no digest", dgst)
				}
			}
		}
		for _, image := range named(t, list) {
			if !slices.ContainsFunc(uses, func(u prune.Use) bool { return u.Image == image }) {
				t.Errorf("image %q of a pod is not in use: %+v", image, uses)
			}
		}
		if again, err := parse(list); err != nil || !cmp.Equal(uses, again) {
			t.Errorf("at the second look: %v, %v", again, err)
		}
	})
}

// named lists the images of the pods' main containers, read in another way.
func named(t *testing.T, list []byte) (images []string) {
	t.Helper()
	var l struct {
		Items []struct {
			Spec struct{ Containers []struct{ Image string } }
		}
	}
	if err := json.Unmarshal(list, &l); err != nil {
		t.Fatalf("what was understood is no JSON: %v", err)
	}
	for _, p := range l.Items {
		for _, c := range p.Spec.Containers {
			images = append(images, c.Image)
		}
	}
	return images
}
