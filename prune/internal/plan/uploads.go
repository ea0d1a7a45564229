package plan

import (
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Upload is what a plan does with an unfinished upload, an ingest.
type Upload struct {
	Namespace string `json:"namespace"`
	Ref       string `json:"ref"`
	// Bytes are what was written so far.
	Bytes     int64         `json:"bytes"`
	Expected  digest.Digest `json:"expected,omitempty"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Action    rules.Action  `json:"action"`
	cause.Cause
}

// DecideUploads decides about the unfinished uploads of a namespace. One goes if it
// was last written to longer ago than the policy's age and no live lease holds
// it: a pull or a build in progress has a lease, or writes.
func DecideUploads(c *gc.Collector, ns *inventory.Namespace, policy rules.Policy) []Upload {
	if policy.IngestAge <= 0 {
		return nil
	}
	holders := c.IngestHolders(ns)
	list := make([]Upload, 0, len(ns.Ingests))
	for _, ingest := range ns.Ingests {
		u := Upload{
			Namespace: ns.Name, Ref: ingest.Ref, Bytes: ingest.Offset, Expected: ingest.Expected,
			UpdatedAt: gc.LastWritten(ingest), Action: rules.Keep,
		}
		age := c.Now.Sub(u.UpdatedAt)
		switch holder := holders[ingest.Ref]; {
		case rules.Closed(ns).Given():
			u.Cause = rules.Closed(ns)
		case holder != "":
			u.Cause = cause.Because(cause.CodeLeaseHolds, cause.Parts{Lease: holder})
		case u.UpdatedAt.IsZero() || age < policy.IngestAge:
			u.Cause = cause.Because(cause.CodeLatelyWritten, cause.Parts{AgeSeconds: int64(policy.IngestAge / time.Second), Time: u.UpdatedAt})
		default:
			u.Action, u.Cause = rules.Remove, cause.Because(cause.CodeAbandoned, cause.Parts{Time: u.UpdatedAt})
		}
		list = append(list, u)
	}
	return list
}
