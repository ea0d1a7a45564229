package prune

import (
	"slices"
	"time"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// Reasons for which a lease goes.
const (
	leaseExpired      = "expired: containerd no longer honours it"
	leaseExpiredSince = "expired since the leases were listed: containerd no longer honours it"
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
	// Action says whether it goes with [PruneLeases], Reason why.
	Action Action `json:"action"`
	Reason string `json:"reason"`
}

// Leases lists the leases of all namespaces with what each alone holds. The
// inventory must have been read with AllSizes or LeaseSizes for the bytes of
// snapshots.
func (inv *Inventory) Leases(now time.Time) []LeaseInfo {
	c := newCollector(inv, now)
	alone := c.heldAlone(inv)
	list := []LeaseInfo{}
	for _, s := range c.order {
		for _, lease := range s.Leases {
			info := LeaseInfo{
				Namespace: s.Name, ID: lease.ID, CreatedAt: lease.CreatedAt, Flat: ours.Flat(lease.Lease),
				Kind: s.kindOf(lease), Resources: len(lease.Resources),
				Alone: alone[node{kind: kindLease, ns: s.Name, key: lease.ID}],
			}
			info.Expires, _ = ours.Expiry(lease.Lease)
			info.Action, info.Reason = c.leaseFate(s, lease)
			list = append(list, info)
		}
	}
	return list
}

// leaseFate says whether a lease goes. Only two sorts do: those that have
// expired, which containerd's collection removes, and those of runs of ours that
// have ended, which are deleted when the run is finished. To tell an abandoned lease of another client from one in use is
// that client's business.
func (c *collector) leaseFate(s *space, lease Lease) (Action, string) {
	interrupted := false
	for _, id := range s.Interrupted {
		interrupted = interrupted || id == lease.ID
	}
	switch kind := s.kindOf(lease); {
	case interrupted:
		return Remove, "left by an interrupted run, which is finished first"
	case kind.Ours():
		return Keep, "a run is under way"
	case !c.live(lease):
		return Remove, leaseExpired
	case kind == ours.KindUndo:
		return Keep, "holds what a run removed while it is undone; it expires by itself"
	case kind == ours.KindGrace:
		return Keep, "keeps what a run removed, so that it can be undone; `ctr-prune runs drop` gives it up"
	case c.freedBy(s.Name, kind) != "":
		return Keep, "belongs to buildkit; " + c.freedBy(s.Name, kind)
	case kind == ours.KindDocker:
		return Keep, "holds the files of a Docker container, running or stopped; `docker rm` gives them up"
	case kind == ours.KindMount:
		return Keep, "belongs to Docker, for an image mount or a build; it goes with the container or the build"
	case kind == ours.KindPod:
		return Keep, "belongs to a pod of Kubernetes, and goes with it"
	case kind == ours.KindPull:
		return Keep, "a pull or build in progress, or one that was interrupted; it expires by itself"
	default:
		return Keep, "belongs to another client, which alone knows whether it is needed"
	}
}

// heldAlone sums up what each lease alone holds, or of one that has expired what
// goes because of that.
func (c *collector) heldAlone(inv *Inventory) map[node]Amount {
	names := c.allLeases()
	var groups [][]node
	for _, lease := range names {
		groups = append(groups, []node{lease})
	}
	sums := make(map[node]Amount, len(names))
	for i, sum := range c.alone(inv, groups) {
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
func (c *collector) alone(inv *Inventory, groups [][]node) []Amount {
	grouped := make(map[node]bool)
	for _, group := range groups {
		for _, root := range group {
			grouped[root] = true
		}
	}
	others := slices.DeleteFunc(c.roots(change{}), func(root node) bool { return grouped[root] })
	owned := c.graph.own(append([][]node{others}, groups...), c.next.of)
	u := &diskUsage{inv: inv, collector: c, owners: owned}
	sums := make([]Amount, len(groups))
	all := inv.objects()
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
