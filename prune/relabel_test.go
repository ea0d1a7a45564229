package prune

import (
	"context"
	"testing"
)

// An image that comes back just as the run takes the snapshot labels off its
// config, which build history holds, is unpacked all the same.
func TestImageReturnsAsItsLabelsGo(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
		lease("ref_build", holding(theBlob("b"))),
	}})
	s.tape.before = on("label «b»", func() error { s.add(record("x:2", "a")); return nil })
	if _, err := s.run(context.Background(), process(t, 1)); err != nil {
		t.Fatal(err)
	}
	checkRecordNames(t, s, "x:2")
	info := must(s.store.Content().Info(s.ctx, dig("b")))
	if _, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1"); err != nil || len(info.Labels) == 0 {
		t.Errorf("snapshot: %v; labels %v", err, info.Labels)
	}
	checkNothingOfOurs(t, s.store)
}
