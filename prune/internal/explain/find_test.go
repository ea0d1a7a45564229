package explain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// People call a container by the name that its client gave it.
func TestExplainFindsAContainerByItsName(t *testing.T) {
	ns := &inventory.Namespace{Name: "default", Containers: []containers.Container{
		{ID: "0123456789abcdef", Labels: map[string]string{inventory.LabelNerdctlName: "web-1"}},
		{ID: "fedcba9876543210", Labels: map[string]string{inventory.LabelNerdctlName: "web-2"}},
	}}
	if err := clients.AddContainers(ns); err != nil {
		t.Fatal(err)
	}
	inv := &inventory.Inventory{Namespaces: []*inventory.Namespace{ns}}
	for _, text := range []string{"web-2", "fedc", "fedcba9876543210"} {
		e, err := tw.ExplainedBy(inv, text, rules.Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if e.Object.Name != "fedcba9876543210" {
			t.Errorf("%s names %s", text, e.Object)
		}
	}
}

// A store may say anything: what is no digest is found by its beginning only,
// and has no file.
func TestExplainAmongMalformedDigests(t *testing.T) {
	blobs := make(map[digest.Digest]inventory.Blob)
	for _, d := range []digest.Digest{"none", "", "sha256:", ":abcdef", "sha256:abc/../../../etc", "md5:abcdef", digest.FromString("x")} {
		blobs[d] = inventory.Blob{Size: 1}
		if file := store.BlobFile("/content", d); (file == "") != (d.Validate() != nil) {
			t.Errorf("%q is in the file %q", d, file)
		}
	}
	inv := &inventory.Inventory{Namespaces: []*inventory.Namespace{{Name: "default", Blobs: blobs}}}
	policy := rules.Policy{AllNamespaces: true, Filters: filters.Everything()}
	e, err := tw.ExplainedBy(inv, digest.FromString("x").Encoded()[:12], policy, time.Unix(0, 0))
	if err != nil || e.Object.Name != digest.FromString("x").String() {
		t.Errorf("found %+v, %v", e, err)
	}
	var nothing *rules.PolicyError
	if _, err := tw.ExplainedBy(inv, "nowhere", policy, time.Unix(0, 0)); !errors.As(err, &nothing) {
		t.Errorf("got %v", err)
	}
}
