package gc

import (
	"iter"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Meet numbers the records that a change adds.
func (c *Collector) Meet(ch Change) {
	for n, target := range ch.StandIns {
		c.Graph.ID(n)
		c.Graph.ID(graph.Node{Kind: graph.KindContent, Namespace: n.Namespace, Key: target.String()})
	}
}

// Split sorts what is unreachable afterwards into what is freed and what was
// garbage before.
func (c *Collector) Split(blobs iter.Seq2[digest.Digest, int64], snapshots iter.Seq2[inventory.SnapshotID, int64], before, after graph.Reached) (freed, garbage inventory.Objects) {
	freed, garbage = inventory.NewObjects(), inventory.NewObjects()
	for dgst, bytes := range blobs {
		switch {
		case c.fileStays(after, dgst):
		case c.fileStays(before, dgst):
			freed.Blobs[dgst] = bytes
		default:
			garbage.Blobs[dgst] = bytes
		}
	}
	for id, bytes := range snapshots {
		switch n := id.Node(); {
		case after.Holds(n):
		case before.Holds(n):
			freed.Snapshots[id] = bytes
		default:
			garbage.Snapshots[id] = bytes
		}
	}
	return freed, garbage
}

// fileStays says whether a blob's file stays: its own namespaces are one
// reason, an upload that takes it from there for another is one too.
func (c *Collector) fileStays(r graph.Reached, dgst digest.Digest) bool {
	for _, s := range c.Homes(dgst) {
		if r.Holds(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: dgst.String()}) {
			return true
		}
	}
	_, ok := c.Awaiting(r, dgst)
	return ok
}

// Awaiting returns a live upload that takes the blob from another namespace:
// the file stays for it, although its own namespace does not know the blob yet.
func (c *Collector) Awaiting(r graph.Reached, dgst digest.Digest) (upload graph.Node, ok bool) {
	for _, n := range c.Awaited[dgst] {
		if r.Holds(n) {
			return n, true
		}
	}
	return graph.Node{}, false
}

// BlobKeeper finds what keeps a blob, in its own namespace or in another.
func (c *Collector) BlobKeeper(n graph.Node, after graph.Reached) (cause.Keeper, bool) {
	if root, ok := after.Root(n); ok {
		return c.Keeper(root), true
	}
	for _, s := range c.Homes(digest.Digest(n.Key)) {
		if s.Name == n.Namespace {
			continue
		}
		if root, ok := after.Root(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: n.Key}); ok {
			return c.Keeper(root), true
		}
	}
	if upload, ok := c.Awaiting(after, digest.Digest(n.Key)); ok {
		return c.Keeper(upload), true
	}
	return cause.Keeper{}, false
}

// Frees returns what a collection would free because of the change.
func (c *Collector) Frees(ch Change) inventory.Objects {
	freed, _ := c.Split(c.Inv.AllBlobs(), c.Inv.AllSnapshots(), c.Reach(Change{}), c.Reach(ch))
	return freed
}
