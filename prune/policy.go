package prune

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
)

// Policy says what a run may remove. The zero value removes nothing, for it
// names no namespace.
type Policy struct {
	// Namespaces are the ones to prune.
	Namespaces []string
	// AllNamespaces prunes every namespace that the store has, each by the
	// rules of the clients found in it.
	AllNamespaces bool
	// MissingOK accepts a namespace that does not exist as an empty one.
	MissingOK bool
	// Filters choose the records that may go.
	Filters filters.Set
	// DanglingPrefixes are further prefixes of dangling names, such as
	// buildkit's dangling-name-prefix.
	DanglingPrefixes []string
	// IngestAge, if positive, aborts uploads that were last written to longer
	// ago and that no lease holds.
	IngestAge time.Duration

	// selection, if not nil, narrows the filters down to named records.
	selection *Selection
	// run is the name of the run that decides while it lasts: what its own
	// leases hold does not count.
	run string
}

// PolicyError says that a policy does not fit the store; nothing was changed.
type PolicyError struct{ Message string }

func (e *PolicyError) Error() string { return e.Message }

// Scope is what a plan by the policy needs of the manifests.
func (p Policy) Scope() Scope {
	return Scope{Namespaces: p.Namespaces, AllNamespaces: p.AllNamespaces, Labels: p.Filters.NeedsLabels()}
}

// selected returns the namespaces that the policy prunes, by name as all are:
// two runs then take their locks in the same order.
func (p Policy) selected(inv *Inventory) ([]*Namespace, error) {
	if s := p.selection; s != nil && !s.anyStore && s.store != inv.Store.ID {
		return nil, &PolicyError{fmt.Sprintf("the plan is for store %s, this is store %s: make a plan for this one", s.store, inv.Store.ID)}
	}
	if p.AllNamespaces {
		return inv.Namespaces, nil
	}
	var chosen []*Namespace
	for _, name := range p.Namespaces {
		ns := inv.Namespace(name)
		if ns == nil && !p.MissingOK {
			return nil, &CodeError{Code: "no-such-namespace", Err: &PolicyError{fmt.Sprintf("there is no namespace %q: choose one of %s", name, namespaceNames(inv))}}
		}
		if ns != nil && !containsNamespace(chosen, ns) {
			chosen = append(chosen, ns)
		}
	}
	slices.SortFunc(chosen, func(a, b *Namespace) int { return strings.Compare(a.Name, b.Name) })
	return chosen, nil
}

func containsNamespace(all []*Namespace, ns *Namespace) bool {
	for _, other := range all {
		if other == ns {
			return true
		}
	}
	return false
}

func namespaceNames(inv *Inventory) string {
	if len(inv.Namespaces) == 0 {
		return "none (the store has no namespaces)"
	}
	names := make([]string, len(inv.Namespaces))
	for i, ns := range inv.Namespaces {
		names[i] = fmt.Sprintf("%q", ns.Name)
	}
	return strings.Join(names, ", ")
}

const (
	dockerNamespace = "moby"
	historySuffix   = "_history"
)

// closed says why nothing may be removed from a namespace, if that is so.
func closed(ns *Namespace) Cause {
	if strings.HasSuffix(ns.Name, historySuffix) {
		return because(codeHistory, parts{Command: freeing(dockerName(ns.Name), leases.KindHistory)})
	}
	return ns.Closed
}
