package text

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// leastReason is the width from which on a reason is beside its name.
const leastReason = 24

// decisions shows names as a table, those that go first.
func (v document) decisions(doc prune.Document) {
	sorted := Ordered(doc.Images, v.how.Sort)
	shown := First(sorted, v.how.Top)
	t := v.columns(doc, shown)
	told := make(map[imageKey]bool)
	_, images := imagesOf(doc.Images)
	for _, r := range shown {
		frees := "-"
		if r.Action != prune.Keep && !told[keyOf(r)] {
			told[keyOf(r)] = true
			frees = terminal.Size(images[keyOf(r)].frees)
		}
		t.Add(v.cells(doc, t, r, frees)...)
	}
	t.Narrow(v.out, slices.DeleteFunc([]string{"TARGET", "USED", "CREATED"}, v.sorted)...)
	t.Spare = slices.DeleteFunc([]string{"SIZE", "FREES"}, v.sorted)
	t.Print(v.out)
	v.left(sorted[len(shown):])
	if slices.ContainsFunc(shown, func(r prune.ImageDocument) bool { return r.SizeAtLeast }) {
		v.out.Sentence(boundsExplained)
	}
}

// sorted says whether a column is the one that is sorted by.
func (v document) sorted(title string) bool { return v.how.column() == title }

// columns are those of a table of names.
func (v document) columns(doc prune.Document, shown []prune.ImageDocument) terminal.Table {
	t := terminal.Table{Columns: []terminal.Column{{Title: "ACTION", Paint: actionStyle}}}
	if several(doc) {
		t.Columns = append(t.Columns, terminal.Column{Title: "NAMESPACE"})
	}
	t.Columns = append(t.Columns,
		terminal.Column{Title: "NAME", Least: terminal.LeastName, Middle: true}, terminal.Column{Title: "TARGET"},
		terminal.Column{Title: "SIZE", Right: true}, terminal.Column{Title: "FREES", Right: true}, terminal.Column{Title: "CREATED"})
	if v.sorted("USED") || slices.ContainsFunc(shown, func(i prune.ImageDocument) bool { return !i.LastUsedAt.IsZero() }) {
		t.Columns = append(t.Columns, terminal.Column{Title: "USED"})
	}
	t.Columns = append(t.Columns, terminal.Column{Title: "REASON", Least: leastReason, Whole: true})
	return t
}

// cells are those of a name in such a table.
func (v document) cells(doc prune.Document, t terminal.Table, r prune.ImageDocument, frees string) (cells []string) {
	target := string(r.Target)
	if !v.out.Whole {
		target = shortDigest(r.Target)
	}
	texts := map[string]string{
		"ACTION": string(r.Action), "NAMESPACE": r.Namespace, "NAME": v.out.Name(r.Name), "TARGET": target,
		"SIZE": terminal.SizeAtLeast(r.SizeBytes, r.SizeAtLeast), "FREES": frees, "CREATED": terminal.Ago(doc.Time, r.CreatedAt),
		"USED": used(doc.Time, r.LastUsedAt), "REASON": v.out.Prose(reason(r)),
	}
	for _, c := range t.Columns {
		cells = append(cells, texts[c.Title])
	}
	return cells
}

// left says what a table leaves out.
func (v document) left(records []prune.ImageDocument) {
	var frees int64
	images, _ := imagesOf(records)
	for _, i := range images {
		frees = saturated(frees, i.frees)
	}
	if len(images) > 0 {
		v.out.Sentence("And %s, of which FREES is %s.", terminal.Count(len(images), "more image"), terminal.Size(frees))
	}
}

func actionStyle(action string) terminal.Style {
	switch prune.Action(action) {
	case prune.Remove:
		return terminal.Red
	case prune.StandIn:
		return terminal.Yellow
	default:
		return terminal.Plain
	}
}
