package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// textView shows results to people.
type textView struct {
	out *terminal.Printer
	// fromFile says that the plan was read from a file, which alone chose what
	// may go.
	fromFile bool
}

func (v textView) show(doc prune.Document) {
	if doc.Kind == prune.DocumentReport {
		v.report(doc)
	} else {
		v.plan(doc)
	}
}

// several says whether a name does not tell its record without a namespace.
func several(doc prune.Document) bool { return len(doc.Policy.Namespaces) > 1 }

// inNamespace puts the namespace before a name where there are several.
func inNamespace(doc prune.Document, namespace, text string) string {
	if several(doc) && namespace != "" {
		return namespace + ": " + text
	}
	return text
}

// nothing says that nothing was found to remove, and where else to look.
func (v textView) nothing(doc prune.Document) {
	if v.fromFile {
		v.out.Line("There is nothing to remove by this plan.")
		return
	}
	v.out.Sentence("Nothing to remove in %s.%s", scope(doc), elsewhere(doc))
	if doc.Counts.Keep > 0 && slices.Contains(doc.Policy.Filters, "dangling=true") {
		v.out.Sentence("Only dangling images were considered: --all takes the unused ones that have a name as well.")
	}
}

// scope names the namespaces of a document.
func scope(doc prune.Document) string {
	switch names := doc.Policy.Namespaces; {
	case doc.Policy.AllNamespaces:
		return "any namespace"
	case len(names) == 0:
		return fmt.Sprintf("namespace %q, which does not exist", defaultNamespace)
	case len(names) == 1:
		return fmt.Sprintf("namespace %q", names[0])
	default:
		quoted := make([]string, len(names))
		for i, n := range names {
			quoted[i] = fmt.Sprintf("%q", n)
		}
		return "namespaces " + strings.Join(quoted, ", ")
	}
}

// elsewhere tells of the namespaces that were left out, as a sentence that
// follows another.
func elsewhere(doc prune.Document) string {
	if len(doc.Elsewhere) == 0 {
		return ""
	}
	found := make([]string, len(doc.Elsewhere))
	for i, e := range doc.Elsewhere {
		found[i] = fmt.Sprintf("%s (%d)", e.Namespace, e.Images)
	}
	return " Other namespaces hold images: " + strings.Join(found, ", ") + ". Choose one with -n, or --all-namespaces."
}
