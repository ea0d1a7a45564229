package htmlreport

import (
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// messages are what a reader must know beside the numbers, the most serious
// first.
func (b *builder) messages() []message {
	m := messages{list: []message{}}
	m.add("warning", "Lower bounds", bounds(b.page.Usage))
	d := b.page.Document
	if u := b.page.Usage; u != nil && d == nil {
		m.add("note", "Notes", reasons(u.Notes))
	}
	if d == nil {
		return m.list
	}
	m.add("error", "Errors", reasons(d.Errors))
	if d.Interrupted {
		m.add("warning", "Interrupted", []string{"Deleting was stopped early. What was deleted until then is counted."})
	}
	m.add("warning", "Refused", lines(d.Refused, prune.Refusal.Error))
	m.add("warning", "Skipped because it changed after the plan was made", lines(d.Skipped, skipped))
	m.add("warning", "Changed since the plan file was written", lines(d.Dropped, skipped))
	m.add("warning", "Restored because something needs it", lines(d.Restored, func(r prune.Restored) string {
		return fmt.Sprintf("%s in namespace %q: %s", r.Name, r.Namespace, r.Reason)
	}))
	m.add("warning", "Different from the prediction", reasons(d.Changes))
	m.add("note", "Interrupted runs that were finished", lines(d.Recovered, func(r prune.Recovered) string {
		return fmt.Sprintf("%s of %s in namespace %q: %s", r.Run, r.Owner, r.Namespace, plural(len(r.Untagged), "record"))
	}))
	if d.Grace != nil {
		m.add("note", "Can be undone", []string{fmt.Sprintf("Until %s by: ctr-prune undo %s", d.Grace.Until.UTC().Format(time.RFC3339), d.Grace.Run)})
	}
	m.add("note", "Unfinished uploads", lines(d.Uploads, func(u prune.Upload) string {
		return fmt.Sprintf("%s in namespace %q, %d bytes: %s, %s", u.Ref, u.Namespace, u.Bytes, u.Action, u.Reason)
	}))
	if d.RestBytes > 0 && d.Kind == prune.DocumentPlan {
		m.add("note", "Freed beside images", []string{fmt.Sprintf("%d bytes of what is freed are of no image that goes: killed runs, graces that end and uploads held them.", d.RestBytes)})
	}
	m.add("note", "Garbage", garbage(d))
	m.add("note", "Notes", reasons(d.Notes))
	m.add("note", "Not looked at", lines(d.Elsewhere, func(c prune.NamespaceCount) string {
		return fmt.Sprintf("namespace %q: %s", c.Namespace, plural(c.Images, "image record"))
	}))
	return m.list
}

// bounds says which sizes are only lower bounds.
func bounds(u *prune.DiskUsage) []string {
	if u == nil {
		return nil
	}
	names := []string{}
	for _, img := range u.Images {
		if img.AtLeast {
			names = append(names, fmt.Sprintf("%s in namespace %q", best(img.Names), img.Namespace))
		}
	}
	for _, o := range u.Objects {
		if o.AtLeast {
			names = append(names, fmt.Sprintf("the size of %s in namespace %q", o.Snapshot, o.Namespaces[0]))
		}
		if o.ImagesAtLeast {
			names = append(names, fmt.Sprintf("the number of images of %s%s", o.Digest, o.Snapshot))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return append([]string{"Images refer to each other in too many ways to follow them all, or snapshots could not be measured. The total and shared sizes of these are lower bounds:"}, names...)
}

type messages struct{ list []message }

// maxLines is how many lines of one kind a page has.
const maxLines = 500

func (m *messages) add(level, title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	msg := message{Level: level, Title: title}
	for i, text := range texts {
		if i == maxLines {
			msg.Lines = append(msg.Lines, fmt.Sprintf("… and %d more; the JSON output has all", len(texts)-i))
			break
		}
		msg.Lines = append(msg.Lines, visible(text))
	}
	m.list = append(m.list, msg)
}

func lines[T any](items []T, text func(T) string) []string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = text(item)
	}
	return texts
}

func reasons(list []prune.Cause) []string {
	return lines(list, func(c prune.Cause) string { return c.Reason })
}

func skipped(s prune.Skip) string {
	return fmt.Sprintf("%s in namespace %q: %s", s.Name, s.Namespace, s.Reason)
}

func garbage(d *prune.Document) []string {
	if d.Garbage == (prune.Amount{}) {
		return nil
	}
	if d.Kind == prune.DocumentPlan {
		return []string{objects(d.Garbage) + " that nothing refers to: the next garbage collection removes it. It is not counted as freed."}
	}
	return []string{objects(d.Garbage) + " that nothing referred to before the run, collected as well. It is not counted as reclaimed."}
}
