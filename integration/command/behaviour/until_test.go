package behaviour_test

import (
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

const day = 24 * time.Hour

// The age of a record is that of the newest of its own times and of the time
// at which its target was put into the store.
func TestUntil(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		longAgo, epoch := time.Now().Add(-10*day), time.Unix(0, 0)
		old := s.image("docker.io/library/old:1", 2)
		forged := s.image("docker.io/library/forged:1", 2)
		fresh := s.on(old, "docker.io/library/fresh:1")
		s.must(
			s.At(longAgo).Add(s.ctx(), old),
			s.At(epoch).Add(s.ctx(), forged), // its target came a moment ago
			s.Add(s.ctx(), fresh),            // a young image on the old one's layers
		)
		retagged := s.image("docker.io/library/retagged:1", 1)
		s.must(s.At(longAgo).Add(s.ctx(), retagged), s.Tag(s.ctx(), retagged.Name, "docker.io/library/retagged:2"))
		s.backdate(10*day, old, retagged)

		p := s.prune("--all", "--until", "72h")
		p.wantNames("default", forged.Name, fresh.Name, "docker.io/library/retagged:2")
		wantAction(t, p.Document, old.Name, prune.Remove, "unused")
		wantAction(t, p.Document, retagged.Name, prune.Remove, `held by image "docker.io/library/retagged:2"`)
		for _, name := range []string{forged.Name, fresh.Name, "docker.io/library/retagged:2"} {
			wantAction(t, p.Document, name, prune.Keep, "72h")
		}
		// Only the manifest and the config of the old image were its own.
		p.wantReclaimed(0, without(old.Digests(), fresh.Digests())...)
	})
}

// A record that was moved is as young as its move.
func TestUntilCountsFromTheUpdate(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		longAgo := time.Now().Add(-10 * day)
		img, other := s.image("docker.io/library/a:1", 1), s.image("docker.io/library/b:1", 1)
		s.must(s.At(longAgo).Add(s.ctx(), img), s.At(longAgo).Add(s.ctx(), other))
		s.backdate(10*day, img, other)
		s.must(s.Tag(s.ctx(), other.Name, img.Name)) // a:1 keeps its CreatedAt
		p := s.prune("--all", "--until", "72h")
		p.wantNames("default", img.Name)
	})
}
