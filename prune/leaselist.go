package prune

import (
	"context"
	"slices"
	"time"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// LeaseInfo is a lease as a user meets it.
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
	// Alone is what nothing else holds: what goes when the lease goes, or
	// because it has expired.
	Alone Amount `json:"alone"`
	// Action says whether it goes with [PruneLeases], Cause why.
	Action Action `json:"action"`
	Cause
}

// Leases reads the store and lists the leases of all namespaces with what each
// alone holds.
func Leases(ctx context.Context, store Store, now time.Time, opts ReadOptions) ([]LeaseInfo, error) {
	inv, err := readMeasured(ctx, store, Scope{}, now, opts, (*collector).snapshotsOfLeases)
	if err != nil {
		return nil, err
	}
	return inv.leases(now), nil
}

func (inv *Inventory) leases(now time.Time) []LeaseInfo {
	c := newCollector(inv, now)
	alone := c.heldAlone()
	list := []LeaseInfo{}
	for _, s := range c.order {
		for _, lease := range s.Leases {
			info := LeaseInfo{
				Namespace: s.Name, ID: lease.ID, CreatedAt: lease.CreatedAt, Flat: ours.Flat(lease.Lease),
				Kind: s.kindOf(lease), Resources: len(lease.Resources),
				Alone: alone[node{kind: kindLease, ns: s.Name, key: lease.ID}],
			}
			info.Expires, _ = ours.Expiry(lease.Lease)
			info.Action, info.Cause = c.leaseFate(s, lease)
			list = append(list, info)
		}
	}
	return list
}

// leaseFate says whether a lease goes. Only two sorts do: those that have
// expired, which containerd's collection removes, and those of runs of ours that
// have ended, which are deleted when the run is finished. To tell an abandoned lease of another client from one in use is
// that client's business.
func (c *collector) leaseFate(s *space, lease Lease) (Action, Cause) {
	interrupted := false
	for _, id := range s.Interrupted {
		interrupted = interrupted || id == lease.ID
	}
	kind := s.kindOf(lease)
	command := c.freeing(s.Name, kind)
	switch {
	case interrupted:
		return Remove, plainly(codeLeaseInterrupted)
	case kind.Ours():
		return Keep, plainly(codeLeaseRunning)
	case !c.live(lease):
		return Remove, plainly(codeLeaseExpired)
	case letsGo(kind, command) != "":
		return Keep, because(codeLeaseBuildkit, parts{LeaseKind: kind, Command: command})
	case kind == ours.KindDocker:
		return Keep, because(codeLeaseDocker, parts{Command: "docker rm"})
	}
	if code, known := leaseCodes[kind]; known {
		return Keep, plainly(code)
	}
	return Keep, plainly(codeLeaseOther)
}

// leaseCodes say why live leases stay of which no more is to be told.
var leaseCodes = map[ours.Kind]Code{
	ours.KindUndo:  codeLeaseUndo,
	ours.KindGrace: codeLeaseGrace,
	ours.KindMount: codeLeaseMount,
	ours.KindPod:   codeLeasePod,
	ours.KindPull:  codeLeasePull,
}

// heldAlone sums up what each lease alone holds, or of one that has expired what
// goes because of that.
func (c *collector) heldAlone() map[node]Amount {
	names := c.allLeases()
	var groups [][]node
	for _, lease := range names {
		groups = append(groups, []node{lease})
	}
	sums := make(map[node]Amount, len(names))
	for i, sum := range c.alone(groups) {
		if sum != (Amount{}) {
			sums[names[i]] = sum
		}
	}
	return sums
}

// allLeases lists the leases, also those that have expired.
func (c *collector) allLeases() []node {
	var all []node
	for _, s := range c.order {
		for _, lease := range s.Leases {
			all = append(all, node{kind: kindLease, ns: s.Name, key: lease.ID})
		}
	}
	return all
}

// alone sums up what each of several groups of roots alone holds: what a
// collection would free without the group. Roots of no group hold as well.
func (c *collector) alone(groups [][]node) []Amount {
	grouped := make(map[node]bool)
	for _, group := range groups {
		for _, root := range group {
			grouped[root] = true
		}
	}
	others := slices.DeleteFunc(c.roots(change{}), func(root node) bool { return grouped[root] })
	owned := c.graph.own(append([][]node{others}, groups...), c.next.of)
	u := &diskUsage{inv: c.inv, collector: c, owners: owned}
	sums := make([]Amount, len(groups))
	all := c.inv.objects()
	for dgst, bytes := range all.blobs {
		if by := u.blobOwner(dgst); by > 0 {
			sums[by-1].addBlob(bytes)
		}
	}
	for id, bytes := range all.snapshots {
		if by := u.owners.of(id.node()); by > 0 {
			sums[by-1].addSnapshot(bytes)
		}
	}
	return sums
}
