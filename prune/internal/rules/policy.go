package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// Policy says what a run may remove. The zero value removes nothing, because it
// names no namespace.
type Policy struct {
	// Namespaces are the ones to prune.
	Namespaces []string
	// AllNamespaces prunes every namespace that the store has, each by the
	// rules of the clients found in it.
	AllNamespaces bool
	// MissingOK accepts a namespace that does not exist as an empty one.
	MissingOK bool
	// Filters select the records that may be removed.
	Filters filters.Set
	// named are the filters with the images that they name, by namespace; nil until
	// these were looked up, see [Policy.Resolve].
	named map[string]resolved
	// Retention, if not nil, is a policy file. Of what the filters select it keeps
	// what it says.
	Retention *retention.Policy
	// LastUse is what is known of when images were last used, for what Retention
	// keeps because of that. Nil says that nobody watches.
	LastUse *lastuse.View
	// DanglingPrefixes are further prefixes of dangling names, such as
	// buildkit's dangling-name-prefix.
	DanglingPrefixes []string
	// IngestAge, if positive, aborts uploads that were last written to longer
	// ago and that no lease holds.
	IngestAge time.Duration

	// Pressure, if not nil, says what has to be freed: of what may go, no more goes
	// than that needs.
	Pressure *filesystem.Pressure
	// Dropped are the runs whose grace ends before this plan is done.
	Dropped []string

	// Selection, if not nil, narrows the filters down to named records.
	Selection *Selection
	// Run is the name of the run that decides while it lasts: what its own
	// leases hold does not count.
	Run string
}

// PolicyError says that a policy cannot be applied to the store. Nothing was
// changed.
type PolicyError struct{ Message string }

func (e *PolicyError) Error() string { return e.Message }

// Scope is what a plan by the policy needs of the manifests.
func (p Policy) Scope() inventory.Scope {
	labels := p.Filters.NeedsLabels() || p.Retention.NeedsLabels()
	return inventory.Scope{Namespaces: p.Namespaces, AllNamespaces: p.AllNamespaces, Labels: labels}
}

// Selected returns the namespaces that the policy prunes, by name as all are:
// two runs then take their locks in the same order.
func (p Policy) Selected(inv *inventory.Inventory) ([]*inventory.Namespace, error) {
	if s := p.Selection; s != nil && !s.anyStore && s.Store != inv.Store.ID {
		return nil, &PolicyError{fmt.Sprintf("the plan is for store %s, but this is store %s: make a plan for this one", s.Store, inv.Store.ID)}
	}
	if p.AllNamespaces {
		return inv.Namespaces, nil
	}
	var chosen []*inventory.Namespace
	for _, name := range p.Namespaces {
		ns := inv.Namespace(name)
		if ns == nil && !p.MissingOK {
			return nil, &cause.CodeError{Code: "no-such-namespace", Err: &PolicyError{fmt.Sprintf("there is no namespace %q: choose one of %s", name, namespaceNames(inv))}}
		}
		if ns != nil && !ContainsNamespace(chosen, ns) {
			chosen = append(chosen, ns)
		}
	}
	slices.SortFunc(chosen, func(a, b *inventory.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return chosen, nil
}

// ContainsNamespace says whether a namespace is among others.
func ContainsNamespace(all []*inventory.Namespace, ns *inventory.Namespace) bool {
	for _, other := range all {
		if other == ns {
			return true
		}
	}
	return false
}

func namespaceNames(inv *inventory.Inventory) string {
	if len(inv.Namespaces) == 0 {
		return "none (the store has no namespaces)"
	}
	names := make([]string, len(inv.Namespaces))
	for i, ns := range inv.Namespaces {
		names[i] = fmt.Sprintf("%q", ns.Name)
	}
	return strings.Join(names, ", ")
}

// Closed says why nothing may be removed from a namespace, if that is so.
func Closed(ns *inventory.Namespace) cause.Cause {
	if strings.HasSuffix(ns.Name, inventory.HistorySuffix) {
		return cause.Because(cause.CodeHistory, cause.Parts{Command: gc.Freeing(gc.DockerName(ns.Name), leases.KindHistory)})
	}
	return ns.Closed
}

// Nothing is the policy that removes no record: for runs that only finish what
// others left.
func Nothing() Policy {
	return Policy{Selection: &Selection{other: cause.CodeNothing, anyStore: true}}
}

// Everything is the policy that removes all that is unused, for restoring what
// an interrupted run deleted: its own filters chose that already.
func Everything() Policy { return Policy{Filters: filters.Everything()} }

// Within lists the namespaces to which a policy limits a search, none for all.
func (p Policy) Within() []string {
	if p.AllNamespaces {
		return nil
	}
	return p.Namespaces
}
