package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
)

// Upload is what a plan does with an unfinished upload, an ingest.
type Upload struct {
	Namespace string `json:"namespace"`
	Ref       string `json:"ref"`
	// Bytes are what was written so far.
	Bytes     int64         `json:"bytes"`
	Expected  digest.Digest `json:"expected,omitempty"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Action    Action        `json:"action"`
	Cause
}

// uploads decides about the unfinished uploads of a namespace. One goes if it
// was last written to longer ago than the policy's age and no live lease holds
// it: a pull or a build in progress has a lease, or writes.
func (c *collector) uploads(ns *Namespace, policy Policy) []Upload {
	if policy.IngestAge <= 0 {
		return nil
	}
	holders := c.ingestHolders(ns)
	list := make([]Upload, 0, len(ns.Ingests))
	for _, ingest := range ns.Ingests {
		u := Upload{
			Namespace: ns.Name, Ref: ingest.Ref, Bytes: ingest.Offset, Expected: ingest.Expected,
			UpdatedAt: lastWritten(ingest), Action: Keep,
		}
		age := c.now.Sub(u.UpdatedAt)
		switch holder := holders[ingest.Ref]; {
		case closed(ns).given():
			u.Cause = closed(ns)
		case holder != "":
			u.Cause = because(codeLeaseHolds, parts{Lease: holder})
		case u.UpdatedAt.IsZero() || age < policy.IngestAge:
			u.Cause = because(codeLatelyWritten, parts{AgeSeconds: int64(policy.IngestAge / time.Second), Time: u.UpdatedAt})
		default:
			u.Action, u.Cause = Remove, because(codeAbandoned, parts{Time: u.UpdatedAt})
		}
		list = append(list, u)
	}
	return list
}

// lastWritten is the newer of both times, for either may be missing.
func lastWritten(s content.Status) time.Time {
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
func (c *collector) await(s *space) {
	note := func(dgst digest.Digest, ref string) {
		c.awaited[dgst] = append(c.awaited[dgst], node{kind: kindIngest, ns: s.Name, key: ref})
	}
	for _, ingest := range s.Ingests {
		if ingest.Expected != "" {
			note(ingest.Expected, ingest.Ref)
		}
	}
	for _, lease := range s.Leases {
		for _, resource := range lease.Resources {
			if _, listed := s.ingests[resource.ID]; listed || resource.Type != "ingests" {
				continue
			}
			if dgst := digest.Digest(digestInRef.FindString(resource.ID)); dgst.Validate() == nil {
				note(dgst, resource.ID)
			}
		}
	}
}

func (c *collector) ingestHolders(ns *Namespace) map[string]string {
	holders := make(map[string]string)
	for _, lease := range ns.Leases {
		if !c.live(lease) {
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

// Uploads returns what the plan does with the unfinished uploads of the pruned
// namespaces; none if the policy does not ask for them.
func (p *Plan) Uploads() []Upload { return slices.Clone(p.uploads) }

// abort gives up the abandoned uploads of the run's namespaces, if they are
// still as they were planned.
func (x *execution) abort(ctx context.Context) {
	for _, upload := range x.plan.uploads {
		if upload.Action != Remove {
			continue
		}
		if ctx.Err() != nil {
			x.unaborted++
			continue
		}
		if err := x.abortOne(inNamespace(ctx, upload.Namespace), upload); err != nil && !x.lost(ctx, err) {
			x.fail(fmt.Errorf("aborting upload %q in namespace %q: %w", upload.Ref, upload.Namespace, err))
		}
	}
}

func (x *execution) abortOne(ctx context.Context, upload Upload) error {
	status, err := x.store.Content().Status(ctx, upload.Ref)
	if err != nil {
		return ignoreNotFound(err)
	}
	if status.Offset != upload.Bytes || !lastWritten(status).Equal(upload.UpdatedAt) {
		return errors.New("it was written to since the plan was made; it is left alone")
	}
	return ignoreNotFound(x.store.Content().Abort(ctx, upload.Ref))
}

// aborted lists the planned uploads that the store no longer has.
func (x *execution) aborted(after *Inventory) []Upload {
	present := make(map[[2]string]bool)
	for _, ns := range after.Namespaces {
		for _, ingest := range ns.Ingests {
			present[[2]string{ns.Name, ingest.Ref}] = true
		}
	}
	gone := slices.DeleteFunc(slices.Clone(x.plan.uploads), func(u Upload) bool {
		return u.Action != Remove || present[[2]string{u.Namespace, u.Ref}]
	})
	slices.SortFunc(gone, func(a, b Upload) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Ref, b.Ref))
	})
	return gone
}
