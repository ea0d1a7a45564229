package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// How says how a plan or a report is shown.
type How struct {
	// FromFile says that a plan file, and not flags, selected what is removed.
	FromFile bool
	// Sort is the key by which images are sorted, see [Orders].
	Sort string
	// Top is how many images are shown, all if it is 0.
	Top int
	// Verbose lists all that was removed, however much.
	Verbose bool
}

// column is the title of the column that is sorted by.
func (h How) column() string { return strings.ToUpper(strings.TrimPrefix(h.Sort, "-")) }

// Document shows a plan or a report.
func Document(out *terminal.Printer, doc prune.Document, how How) {
	v := document{out: out, how: how}
	if doc.Kind == prune.DocumentReport {
		v.report(doc)
	} else {
		v.plan(doc)
	}
}

// Plan shows what would happen to every record.
func Plan(out *terminal.Printer, doc prune.Document, how How) { document{out: out, how: how}.plan(doc) }

// document shows plans and reports.
type document struct {
	out *terminal.Printer
	how How
}

// several reports whether a name identifies its record only with a namespace.
func several(doc prune.Document) bool { return len(doc.Policy.Namespaces) > 1 }

// inNamespace puts the namespace before a name where there are several.
func inNamespace(doc prune.Document, namespace, text string) string {
	if several(doc) && namespace != "" {
		return namespace + ": " + text
	}
	return text
}

// nothing says that nothing was found to remove, and where else to look.
func (v document) nothing(doc prune.Document) {
	if v.how.FromFile {
		v.out.Sentence("Nothing to remove by this plan.")
		return
	}
	v.out.Sentence("Nothing to remove in %s.%s", scope(doc), elsewhere(doc))
	if doc.Counts.Keep > 0 && slices.Contains(doc.Policy.Filters, "dangling=true") {
		v.out.Sentence("Only dangling images were considered; --all also removes unused images that have a name.")
	}
}

// scope names the namespaces of a document.
func scope(doc prune.Document) string {
	switch names := doc.Policy.Namespaces; {
	case doc.Policy.AllNamespaces:
		return "any namespace"
	case len(names) == 0:
		return fmt.Sprintf("namespace %q, which does not exist", DefaultNamespace)
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

// source is where a plan removes from.
func source(doc prune.Document) string {
	if doc.Policy.AllNamespaces {
		return "all namespaces"
	}
	return scope(doc)
}

// elsewhere lists the namespaces that were not selected, as a sentence that
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

// DefaultNamespace is the one that containerd's clients use if none is named.
const DefaultNamespace = "default"

// Prefix puts a namespace before a name where it is not the default one.
func Prefix(namespace string) string {
	if namespace == DefaultNamespace {
		return ""
	}
	return namespace + ": "
}
