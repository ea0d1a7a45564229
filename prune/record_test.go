package prune

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// More records than one plan blob may name, or names that are very long.
func TestPlanBlobsAreParted(t *testing.T) {
	record := func(i, length int) Decision {
		name := strings.Repeat("x", length) + fmt.Sprint(i)
		image := images.Image{Name: name, Target: descriptor(fmt.Sprint("m", i)), Labels: map[string]string{"a": "b"}, CreatedAt: noon, UpdatedAt: noon}
		return Decision{Namespace: "default", Name: name, Target: image.Target, Action: Remove, image: image}
	}
	orphans := []orphan{{Namespace: "default", Config: dig("x")}, {Namespace: "other", Config: dig("y")}}
	for _, c := range []struct{ records, length, parts int }{
		{0, 1, 1}, {1, 1, 1}, {leases.MaxTargets, 1, 1}, {leases.MaxTargets + 1, 1, 2}, {2*leases.MaxTargets + 1, 1, 3},
		{600, 20000, 5}, {3, 3 << 20, 3},
	} {
		b := batch{ns: &Namespace{Name: "default"}}
		for i := range c.records {
			b.records = append(b.records, record(i, c.length))
		}
		docs, targets, err := planBlobs(leases.Run{Name: "r", Start: noon}, b, orphans)
		if err != nil || len(docs) != c.parts || len(targets) != c.parts {
			t.Errorf("%d records of %d: %d blobs, %v", c.records, c.length, len(docs), err)
		}
		var back []Decision
		var held []digest.Digest
		for i, doc := range docs {
			if len(targets[i]) > leases.MaxTargets || len(doc) > 2*maxWeight {
				t.Errorf("blob %d names %d targets in %d bytes", i, len(targets[i]), len(doc))
			}
			p := must(parsePlanBlob(doc))
			if wantOrphans := i == 0; (len(p.Orphans) == 1) != wantOrphans {
				t.Errorf("blob %d has orphans %v", i, p.Orphans)
			}
			back, held = append(back, p.decisions()...), append(held, targets[i]...)
		}
		if diff := cmp.Diff(b.records, back, cmp.AllowUnexported(Decision{})); diff != "" {
			t.Errorf("%d records read back (-want +got):\n%s", c.records, diff)
		}
		if len(held) != c.records {
			t.Errorf("%d records, but %d targets held", c.records, len(held))
		}
	}
}

func TestPlanBlobsOfOthers(t *testing.T) {
	for _, doc := range []string{"", "{", `{"schema":2}`, `[]`, `{}`} {
		if _, err := parsePlanBlob([]byte(doc)); err == nil {
			t.Errorf("%q is a plan", doc)
		}
	}
}
