package gc

import (
	"regexp"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// LastWritten is the newer of both times, because either may be missing.
func LastWritten(s content.Status) time.Time {
	if s.UpdatedAt.After(s.StartedAt) {
		return s.UpdatedAt
	}
	return s.StartedAt
}

// digestInRef finds the digest by which containerd's clients name an upload
// (core/remotes, MakeRefKey).
var digestInRef = regexp.MustCompile(`sha(?:256|384|512):[0-9a-f]+`)

// await notes which blobs the uploads of a namespace wait for. One that takes
// over a blob of another namespace, without a transfer, is in no list of
// uploads: it is known from the lease that holds it alone, and by its name.
func (c *Collector) await(s *Space) {
	note := func(dgst digest.Digest, ref string) {
		c.Awaited[dgst] = append(c.Awaited[dgst], graph.Node{Kind: graph.KindIngest, Namespace: s.Name, Key: ref})
	}
	for _, ingest := range s.Ingests {
		if ingest.Expected != "" {
			note(ingest.Expected, ingest.Ref)
		}
	}
	for _, lease := range s.Leases {
		for _, resource := range lease.Resources {
			if _, listed := s.IngestByRef[resource.ID]; listed || resource.Type != "ingests" {
				continue
			}
			if dgst := digest.Digest(digestInRef.FindString(resource.ID)); dgst.Validate() == nil {
				note(dgst, resource.ID)
			}
		}
	}
}

// IngestHolders are the leases that keep uploads of a namespace, by the reference of
// the upload.
func (c *Collector) IngestHolders(ns *inventory.Namespace) map[string]string {
	holders := make(map[string]string)
	for _, lease := range ns.Leases {
		if !c.Live(lease) {
			continue
		}
		for _, resource := range lease.Resources {
			if resource.Type == "ingests" {
				holders[resource.ID] = lease.ID
			}
		}
	}
	return holders
}
