package inventory

import (
	"maps"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// Silence notes that a snapshotter with snapshots of the namespace does not
// answer. What it told of before that is not all, and so is left out.
func (ns *Namespace) Silence(snapshotter, why string) {
	if ns.Silences == nil {
		ns.Silences = make(map[string]string)
	}
	ns.Silences[snapshotter] = why
	for key := range ns.Snapshots {
		if key.Snapshotter == snapshotter {
			delete(ns.Snapshots, key)
		}
	}
}

// IsSilent says whether a snapshotter has snapshots in the namespace that are
// not known, because it does not answer.
func (ns *Namespace) IsSilent(snapshotter string) bool {
	_, silent := ns.Silences[snapshotter]
	return silent
}

// Silent names the snapshotters that did not answer, sorted.
func (inv *Inventory) Silent() []string { return slices.Sorted(maps.Keys(inv.silences())) }

// silences are the namespaces in which each of them has snapshots.
func (inv *Inventory) silences() map[string][]string {
	in := make(map[string][]string)
	for _, ns := range inv.Namespaces {
		for name := range ns.Silences {
			in[name] = append(in[name], ns.Name)
		}
	}
	return in
}

// Notes tell what is missing in the inventory: the snapshots of snapshotters
// that do not answer, and sizes.
func (inv *Inventory) Notes() []cause.Cause {
	var notes []cause.Cause
	for name, namespaces := range inv.silences() {
		why := inv.Namespace(namespaces[0]).Silences[name]
		notes = append(notes, cause.Because(cause.CodeSilent, cause.Parts{Name: name, Names: namespaces, Detail: why}))
	}
	slices.SortFunc(notes, func(a, b cause.Cause) int { return strings.Compare(a.ReasonParts.Name, b.ReasonParts.Name) })
	for _, ns := range inv.Namespaces {
		if ns.Unread != "" {
			notes = append(notes, cause.Because(cause.CodeUnread, cause.Parts{Namespace: ns.Name, Detail: ns.Unread}))
		}
	}
	return append(notes, inv.Sizes.Notes()...)
}

// AnyUnread says whether there is a namespace that could not be read.
func (inv *Inventory) AnyUnread() bool {
	return slices.ContainsFunc(inv.Namespaces, func(ns *Namespace) bool { return ns.Unread != "" })
}
