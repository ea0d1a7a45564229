package imagestore_test

import (
	"testing"

	"github.com/containerd/errdefs"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Real daemons take in all of this, so a pruner will meet it.
func TestDaemonsAcceptOddImages(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		ctx := t.Context()
		d := daemon.Start(t, daemon.Options{Version: version})
		d.Expect(prune.ProblemIncomplete)
		s := d.Store("default")
		b := imagestore.New(1)
		whole := b.Image(imagestore.Spec{Name: "whole:1", Layers: 2})
		odd := []*imagestore.Image{
			whole,
			b.Garbage("garbage:1"),
			b.GarbageConfig(imagestore.Spec{Name: "garbage-config:1"}),
			b.CacheExport("cache:1", whole),
			b.Overstated("overstated:1", 10<<30),
			b.Image(imagestore.Spec{Name: "claiming:1"}).Claiming(1 << 62),
			b.Doubling("doubling:1", 30),
			b.Signature("signed:"+imagestore.SignatureTag(whole, "sig"), whole),
			whole.WithReferrers(b.Signature("", whole)),
		}
		partial := b.Image(imagestore.Spec{Name: "partial:1", Layers: 2})
		odd = append(odd, partial.Without(partial.Layers[0].Desc.Digest))
		headless := b.Image(imagestore.Spec{Name: "headless:1"})
		odd = append(odd, headless.Without(headless.Config.Desc.Digest))
		for _, img := range odd {
			must(t, s.Add(ctx, img))
		}
		must(t, s.Collect(ctx))
		now := d.Capture().Namespaces["default"]
		for _, img := range odd {
			if got := now.Images[img.Name].Target.Size; got != img.Target.Size {
				t.Errorf("%s: target of %d bytes, want %d", img.Name, got, img.Target.Size)
			}
			if got, want := blobsOf(now, img), len(img.Blobs()); got != want {
				t.Errorf("%s: %d blobs after a collection, want %d", img.Name, got, want)
			}
		}
		for _, lost := range []imagestore.Blob{partial.Layers[0].Blob, headless.Config} {
			if _, ok := now.Content[lost.Desc.Digest]; ok {
				t.Errorf("blob %s should be missing", lost.Desc.Digest)
			}
		}
	})
}

func TestDaemonsAcceptHostileNames(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		d := daemon.Start(t, daemon.Options{Version: version})
		s := d.Store("default")
		img := imagestore.New(1).Image(imagestore.Spec{})
		must(t, s.Add(t.Context(), img, imagestore.HostileNames()...))
		got := records(t, s)
		for _, name := range imagestore.HostileNames() {
			if got[name] != img.Target.Digest {
				t.Errorf("no record %.60q", name)
			}
		}
		must(t, s.Untag(t.Context(), imagestore.HostileNames()...))
		if _, err := s.Client.ImageService().Get(s.Context(t.Context()), " "); !errdefs.IsNotFound(err) {
			t.Errorf("a hostile name could not be removed: %v", err)
		}
	})
}
