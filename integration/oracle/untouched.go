package oracle

import (
	"reflect"
	"slices"
)

// CheckUntouched finds leases, containers, uploads and sandboxes that are
// gone or have other labels or contents, which no prune of images may cause.
// Expired leases and uploads of more than a day may go: any collection takes
// them. Leases with the IDs in except, the pruner's own, may do as they like.
func CheckUntouched(before, after *State, except ...string) error {
	var found findings
	for name, ns := range before.Namespaces {
		now := after.Namespaces[name]
		if now == nil {
			now = &Namespace{}
		}
		for id, l := range ns.Leases {
			if left, ok := now.Leases[id]; !l.Expired && !slices.Contains(except, id) {
				found.touched(name, "lease", id, ok, l.Labels, left.Labels)
				found.touched(name, "resources of lease", id, ok, resources(l), resources(left))
			}
		}
		for id, c := range ns.Containers {
			left, ok := now.Containers[id]
			found.touched(name, "container", id, ok, c.UpdatedAt, left.UpdatedAt)
		}
		for id, labels := range ns.Sandboxes {
			left, ok := now.Sandboxes[id]
			found.touched(name, "sandbox", id, ok, labels, left)
		}
		for _, n := range ns.uploads() {
			left, ok := now.Ingests[n.key]
			found.touched(name, "upload", n.key, ok, ns.Ingests[n.key].Offset, left.Offset)
		}
	}
	return found.err()
}

func (f *findings) touched(ns, kind, id string, there bool, was, is any) {
	if !there {
		f.add("namespace %s: %s %s is gone", ns, kind, id)
	} else if !reflect.DeepEqual(was, is) {
		f.add("namespace %s: %s %s was %v, is %v", ns, kind, id, was, is)
	}
}

// resources lists what a lease holds in a stable order.
func resources(l Lease) []string {
	var out []string
	for _, r := range l.Resources {
		out = append(out, r.Type+" "+r.ID)
	}
	slices.Sort(out)
	return out
}
