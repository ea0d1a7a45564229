package behaviour_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// pruned is a run of the command with the store before and after it.
type pruned struct {
	prune.Document
	t             *testing.T
	before, after *oracle.State
}

// prune runs the command on the store, with --force and the given flags, and
// checks that it did no harm.
func (s *subject) prune(args ...string) pruned {
	s.t.Helper()
	return s.pruneExpecting(expected{}, args...)
}

func (s *subject) pruneExpecting(e expected, args ...string) pruned {
	s.t.Helper()
	s.ready()
	p := pruned{t: s.t, before: s.state()}
	r := run(s.t, slices.Concat(s.where(), []string{"--force", "--format", "json"}, args)...)
	p.Document = r.Want(s.t, programs.ExitDone).Document(s.t)
	if r.Stderr != "" {
		s.t.Errorf("stderr: %s", r.Stderr)
	}
	p.after = s.state()
	p.check(e)
	return p
}

// plan runs the command with --dry-run and checks that it changed nothing.
func (s *subject) plan(args ...string) prune.Document {
	s.t.Helper()
	s.ready()
	before := s.state()
	r := run(s.t, slices.Concat(s.where(), []string{"--dry-run", "--format", "json"}, args)...)
	doc := r.Want(s.t, programs.ExitDone).Document(s.t)
	wantSame(s.t, before, s.state())
	return doc
}

// wantSame fails the test if anything in the store has changed, be it a blob's
// file that no record shows.
func wantSame(t *testing.T, before, after *oracle.State) {
	t.Helper()
	if diff := oracle.Differences(before, after); diff != "" {
		t.Errorf("the store was changed:\n%s", diff)
	}
}

// names are those of the records of a namespace.
func names(s *oracle.State, namespace string) []string {
	return slices.Sorted(maps.Keys(s.Namespaces[namespace].Images))
}

// wantNames fails the test unless exactly these records are left in a
// namespace.
func (p pruned) wantNames(namespace string, want ...string) {
	p.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, names(p.after, namespace)); diff != "" {
		p.t.Errorf("records left in namespace %q (-want +got):\n%s", namespace, diff)
	}
}

// wantReclaimed fails the test unless exactly these blobs and this number of
// snapshots are gone.
func (p pruned) wantReclaimed(snapshots int, blobs ...digest.Digest) {
	p.t.Helper()
	want := prune.Amount{Blobs: len(blobs), Snapshots: snapshots}
	for _, b := range blobs {
		want.ContentBytes += p.before.Files[b]
	}
	got := p.Reclaimed
	got.SnapshotBytes, got.TotalBytes = 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("reclaimed (-want +got):\n%s", diff)
	}
}

// about returns what a document says about a record.
func about(t *testing.T, doc prune.Document, name string) prune.ImageDocument {
	t.Helper()
	for _, image := range doc.Images {
		if image.Name == name {
			return image
		}
	}
	t.Fatalf("the document has no record %.100q", name)
	return prune.ImageDocument{}
}

// wantAction fails the test unless the record has the action, for a reason
// that contains a text.
func wantAction(t *testing.T, doc prune.Document, name string, action prune.Action, because string) {
	t.Helper()
	image := about(t, doc, name)
	reasons := []string{image.Reason}
	for _, detail := range image.Details {
		reasons = append(reasons, detail.Reason)
	}
	if image.Action != action || !contains(reasons, because) {
		t.Errorf("record %.100q: %s, because %q; want %s, because %q", name, image.Action, reasons, action, because)
	}
}
