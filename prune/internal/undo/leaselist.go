package undo

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// LeaseInfo describes a lease for people.
type LeaseInfo struct {
	Namespace string    `json:"namespace"`
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	// Expires is zero for a lease that never does.
	Expires time.Time `json:"expires,omitzero"`
	Flat    bool      `json:"flat"`
	Kind    ours.Kind `json:"kind"`
	// Resources is how many objects it holds directly.
	Resources int `json:"resources"`
	// Alone is what nothing else holds: what is freed when the lease is deleted,
	// or because it has expired.
	Alone inventory.Amount `json:"alone"`
	// Action says whether [PruneLeases] removes it, Cause why.
	Action rules.Action `json:"action"`
	cause.Cause
}

// Leases reads the store and lists the leases of all namespaces, with what only
// that lease holds.
func Leases(ctx context.Context, store store.Store, now time.Time, opts read.ReadOptions) ([]LeaseInfo, error) {
	inv, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts, (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return nil, err
	}
	return ListLeases(inv, now), nil
}

// ListLeases is the same of an inventory that has been read.
func ListLeases(inv *inventory.Inventory, now time.Time) []LeaseInfo {
	c := gc.NewCollector(inv, now)
	alone := c.HeldAlone()
	list := []LeaseInfo{}
	for _, s := range c.Order {
		for _, lease := range s.Leases {
			info := LeaseInfo{
				Namespace: s.Name, ID: lease.ID, CreatedAt: lease.CreatedAt, Flat: ours.Flat(lease.Lease),
				Kind: s.KindOf(lease), Resources: len(lease.Resources),
				Alone: alone[graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID}],
			}
			info.Expires, _ = ours.Expiry(lease.Lease)
			info.Action, info.Cause = leaseFate(c, s, lease)
			list = append(list, info)
		}
	}
	return list
}

// leaseFate says whether a lease is removed. Only two kinds are: those that have
// expired, which containerd's collection removes, and those of runs of ours that
// have ended, which are deleted when the run is finished. Only another client can
// tell whether a lease of its own is abandoned or in use.
func leaseFate(c *gc.Collector, s *gc.Space, lease inventory.Lease) (rules.Action, cause.Cause) {
	interrupted := false
	for _, id := range s.Interrupted {
		interrupted = interrupted || id == lease.ID
	}
	kind := s.KindOf(lease)
	command := c.Freeing(s.Name, kind)
	switch {
	case interrupted:
		return rules.Remove, cause.Plainly(cause.CodeLeaseInterrupted)
	case kind.Ours():
		return rules.Keep, cause.Plainly(cause.CodeLeaseRunning)
	case !c.Live(lease):
		return rules.Remove, cause.Plainly(cause.CodeLeaseExpired)
	case cause.ReleaseCommand(kind, command) != "":
		return rules.Keep, cause.Because(cause.CodeLeaseBuildkit, cause.Parts{LeaseKind: kind, Command: command})
	case kind == ours.KindPod:
		return rules.Keep, cause.Because(cause.CodeLeasePod, cause.Parts{Name: s.PodOf(lease.ID)})
	case kind == ours.KindDocker:
		return rules.Keep, cause.Because(cause.CodeLeaseDocker, cause.Parts{Command: "docker rm"})
	}
	if code, known := leaseCodes[kind]; known {
		return rules.Keep, cause.Plainly(code)
	}
	return rules.Keep, cause.Plainly(cause.CodeLeaseOther)
}

// leaseCodes say why live leases are kept whose reason has no parts.
var leaseCodes = map[ours.Kind]cause.Code{
	ours.KindUndo:  cause.CodeLeaseUndo,
	ours.KindGrace: cause.CodeLeaseGrace,
	ours.KindMount: cause.CodeLeaseMount,
	ours.KindPull:  cause.CodeLeasePull,
}
