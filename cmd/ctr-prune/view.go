package main

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

// view shows a plan or a report in the form that was asked for.
type view struct {
	output *format.Output[imageRow]
	// live writes what happens during a run; nil in forms that do not show that.
	live *liveLines
	how  text.How
}

// imageShape is the structure of plans and reports.
func imageShape() format.Shape[imageRow] {
	shape := format.Shape[imageRow]{Row: "an image", Field: "Name", List: "Images"}
	for _, doc := range exampleDocuments() {
		shape.Examples = append(shape.Examples, (&view{}).result(doc))
	}
	return shape
}

// view returns what shows plans and reports in the form that was asked for.
func (p process) view(o outputOptions, output *format.Output[imageRow]) *view {
	v := &view{output: output}
	if o.format == format.Lines {
		v.live = &liveLines{out: p.printer(p.stdout)}
		v.live.out.ASCII = false
	}
	return v
}

func (v *view) show(doc prune.Document) error {
	return firstError(v.live.failed(), v.output.Show(v.result(doc)))
}

func (v *view) result(doc prune.Document) format.Result[imageRow] {
	if v.how.Sort != "" {
		doc.Images = text.Ordered(doc.Images, v.how.Sort)
	}
	return format.Result[imageRow]{
		Doc:   doc,
		Lines: func() []any { return v.live.rest(events(doc)) },
		Rows:  func() []imageRow { return imageRows(doc, v.how.Top) },
		Names: func() []string { return goingNames(doc, v.how.Top) },
		Text:  func(out *terminal.Printer) { text.Document(out, doc, v.how) },

		Remarks: func() []github.Remark { return text.DocumentRemarks(doc) },
		Figures: func() []github.Figure { return text.DocumentFigures(doc) },
	}
}

// stages is the function that progress is reported to, nil if the view shows
// none.
func (v *view) stages() func(prune.Progress) {
	if v.live == nil {
		return nil
	}
	return v.live.progress
}

// goingNames are the names of what is or was removed, in a plan those of the first
// images.
func goingNames(doc prune.Document, top int) []string {
	name := naming(doc.Policy.AllNamespaces, doc.Policy.Namespaces)
	if doc.Kind == prune.DocumentReport {
		return each(doc.Untagged, func(r prune.Record) string { return name(r.Namespace, r.Name) })
	}
	var names []string
	going := slices.DeleteFunc(slices.Clone(doc.Images), func(i prune.ImageDocument) bool { return i.Action == prune.Keep })
	for _, image := range text.First(going, top) {
		names = append(names, name(image.Namespace, image.Name))
	}
	return names
}

// naming is how --quiet calls what is in a namespace: by its name or, if several
// namespaces were chosen, by both. That depends on the flags, not on what was found,
// so that scripts can rely on it.
func naming(all bool, chosen []string) func(namespace, name string) string {
	if !all && len(chosen) < 2 {
		return func(_, name string) string { return name }
	}
	return func(namespace, name string) string { return namespace + " " + terminal.Visible(name) }
}

// imageRow is an image in templates: the fields that the manual lists.
type imageRow struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Target    string   `json:"target"`
	Action    string   `json:"action"`
	Reason    string   `json:"reason"`
	Details   []string `json:"details"`
	StandIn   string   `json:"standIn"`
	// Size is all that the image consists of, and Frees what it adds to what is freed,
	// where it has its first name.
	Size       format.Bytes `json:"size"`
	Frees      format.Bytes `json:"frees"`
	CreatedAt  time.Time    `json:"createdAt"`
	LastUsedAt time.Time    `json:"lastUsedAt,omitzero"`
	// Result is what came of the action: "planned" before a run, and after it
	// "removed", "kept", "skipped" or "restored".
	Result string `json:"result"`
}

// imageRows returns the first images of a document as templates see them.
func imageRows(doc prune.Document, top int) []imageRow {
	results := make(map[[2]string]string)
	for _, r := range doc.Untagged {
		results[[2]string{r.Namespace, r.Name}] = "removed"
	}
	for _, s := range doc.Skipped {
		results[[2]string{s.Namespace, s.Name}] = "skipped"
	}
	for _, r := range doc.Restored {
		results[[2]string{r.Namespace, r.Name}] = "restored"
	}
	images := text.First(doc.Images, top)
	rows := make([]imageRow, len(images))
	for i, image := range images {
		result := results[[2]string{image.Namespace, image.Name}]
		switch {
		case doc.Kind == prune.DocumentPlan:
			result = "planned"
		case result == "":
			result = "kept"
		}
		rows[i] = imageRow{
			Namespace: image.Namespace, Name: image.Name, Target: string(image.Target),
			Action: string(image.Action), Reason: image.Reason, Details: each(image.Details, func(c prune.Cause) string { return c.Reason }),
			StandIn: image.StandIn, Result: result, Size: format.Bytes(image.SizeBytes), Frees: format.Bytes(image.FreesBytes),
			CreatedAt: image.CreatedAt, LastUsedAt: image.LastUsedAt,
		}
	}
	return rows
}

// exampleDocuments are the data that templates are tested with: every list has
// an entry.
func exampleDocuments() []prune.Document {
	dgst := digest.FromString("example")
	record := func(name string) prune.Record {
		return prune.Record{Namespace: text.DefaultNamespace, Name: name, Target: dgst}
	}
	image := func(action prune.Action) prune.ImageDocument {
		return prune.ImageDocument{Record: record("docker.io/library/" + string(action) + ":1"), Action: action, Cause: prune.Cause{Reason: "unused"}, Details: []prune.Cause{{Reason: "a detail"}}}
	}
	plan := prune.Document{
		SchemaVersion: prune.DocumentSchema, Kind: prune.DocumentPlan,
		Store: prune.StoreInfo{Snapshotters: []string{"native"}},
		Policy: prune.PolicyDocument{
			Namespaces: []string{text.DefaultNamespace}, Filters: []string{"dangling=true"}, DanglingPrefixes: []string{"x"},
		},
		Images:  []prune.ImageDocument{image(prune.Remove), image(prune.StandIn), image(prune.Keep)},
		Uploads: []prune.Upload{{Ref: "an upload"}}, Dropped: []prune.Skip{{}},
		Held:       []prune.Held{{Digest: dgst}},
		Unfinished: []string{text.DefaultNamespace}, Notes: []prune.Cause{{Reason: "a note"}}, Refused: []prune.Refusal{{}},
		Elsewhere: []prune.NamespaceCount{{Namespace: "k8s.io", Images: 1}},
	}
	report := plan
	report.Kind = prune.DocumentReport
	report.Grace = &prune.Grace{}
	report.Aborted = plan.Uploads
	report.Untagged = []prune.Record{record("docker.io/library/remove:1")}
	report.Deleted = []prune.DeletedDocument{{Digest: dgst}}
	report.Skipped, report.Restored = []prune.Skip{{Record: record("skip")}}, []prune.Restored{{}}
	report.Recovered = []prune.Recovered{{}}
	report.Changes, report.Errors = []prune.Cause{{Reason: "a change"}}, []prune.Cause{{Reason: "an error"}}
	return []prune.Document{plan, report}
}

// ask shows a summary of what would be removed and asks for confirmation. It
// returns an error if the context ends before an answer.
func ask(ctx context.Context, p process, doc prune.Document, how text.How, whole bool) (bool, error) {
	out := p.printer(p.stderr)
	out.Whole = whole
	text.Summary(out, doc, how)
	for {
		answer, err := question(ctx, p, out, "Remove them? [y/N/d] ", true)
		if err != nil || answer != terminal.Details {
			return answer == terminal.Yes, err
		}
		if err := p.details(ctx, doc, how, whole); err != nil {
			return false, err
		}
	}
}

// question asks one question, see [terminal.Ask].
func question(ctx context.Context, p process, out *terminal.Printer, text string, details bool) (string, error) {
	answer, err := terminal.Ask(ctx, p.stdin, out, text, details)
	return answer, stopped(ctx, err)
}

// confirmed shows what would be done and asks whether to go on. If not, it says
// that nothing was removed.
func (p process) confirmed(ctx context.Context, text string, show func(*terminal.Printer)) (bool, error) {
	out := p.printer(p.stderr)
	show(out)
	answer, err := question(ctx, p, out, text, false)
	if err != nil || answer != terminal.Yes {
		return false, firstError(err, p.say("Nothing was removed."))
	}
	return true, nil
}

// details shows a whole plan on the terminal: through $PAGER if that is set,
// otherwise directly.
func (p process) details(ctx context.Context, doc prune.Document, how text.How, whole bool) error {
	out := p.printer(p.stderr)
	out.Whole = whole
	pager := p.getenv("PAGER")
	if pager == "" || p.page == nil || !p.isTerminal(p.stderr) {
		text.Plan(out, doc, how)
		out.Line("")
		return out.Flush()
	}
	err := p.page(ctx, pager, func(w io.Writer) error {
		out := out.Onto(w)
		text.Plan(out, doc, how)
		return out.Flush()
	})
	if err != nil && ctx.Err() == nil {
		return p.caution("$PAGER failed: %s", err)
	}
	return stopped(ctx, err)
}
