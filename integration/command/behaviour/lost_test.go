package behaviour_test

import "testing"

// A blob that containerd lists and whose file is gone, as after a power failure,
// gives nothing back: neither the plan nor the report counts it.
func TestLostBlobIsNotReclaimed(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		img := s.added("docker.io/library/broken:1", 2)
		s.added("docker.io/library/whole:1", 1)
		s.daemon.RemoveBlob(img.Layers[0].Desc.Digest)
		s.ready()
		p := s.prune("--all")
		p.wantNames("default")
		if want := len(img.Digests()) - 1 + 3; p.Reclaimed.Blobs != want {
			t.Errorf("%d blobs reclaimed, want %d", p.Reclaimed.Blobs, want)
		}
	})
}
