package text

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Usage shows what a store holds.
// The column by which images are sorted is shown however narrow it gets.
func Usage(out *terminal.Printer, u *prune.DiskUsage, now time.Time, sorted string) {
	v := usage{out, u, now, strings.ToUpper(strings.TrimPrefix(sorted, "-"))}
	v.types()
	v.totals()
	v.holders()
	v.namespaces()
	v.images()
	v.objects()
	for _, note := range u.Notes {
		out.Sentence("Note: %s", out.Prose(note.Reason))
	}
}

type usage struct {
	out   *terminal.Printer
	usage *prune.DiskUsage
	now   time.Time
	// sorted is the title of the column by which images are sorted.
	sorted string
}

func (v usage) totals() {
	u := v.usage
	v.out.Line("")
	v.out.Wrapped(terminal.Quote("Total: "+Sizes(u.Total)+", "+objects(u.Total.Blobs, u.Total.Snapshots)), "  ")
	v.out.Wrapped(terminal.Quote("Reclaimable by a prune --all: "+Sizes(u.Reclaimable)), "  ")
	if u.IngestBytes > 0 {
		v.out.Sentence("Unfinished uploads, in addition: %s", terminal.Size(u.IngestBytes))
	}
}

// types shows what fills the store in docker's way.
func (v usage) types() {
	const least = 14
	t := terminal.Table{Columns: []terminal.Column{{Title: "TYPE", Least: least}, {Title: "TOTAL", Right: true}, {Title: "ACTIVE", Right: true}, {Title: "SIZE", Right: true}, {Title: "RECLAIMABLE", Right: true}}}
	var size, reclaimable int64
	atLeast := false
	for _, u := range v.usage.Types {
		t.Add(u.String(), strconv.Itoa(u.Total), strconv.Itoa(u.Active), terminal.SizeAtLeast(u.SizeBytes, u.AtLeast), terminal.Size(u.ReclaimableBytes))
		size, reclaimable, atLeast = saturated(size, u.SizeBytes), saturated(reclaimable, u.ReclaimableBytes), atLeast || u.AtLeast
	}
	t.Add("All", "", "", terminal.SizeAtLeast(size, atLeast), terminal.Size(reclaimable))
	t.Narrow(v.out, "TOTAL", "ACTIVE")
	t.Print(v.out)
}

func (v usage) holders() {
	// Classes are shortened only if a terminal is too narrow for one and its size.
	least := min(len(prune.HeldByNothing.String()), max(terminal.LeastName, v.out.Width-len("   1023.9MB")))
	t := terminal.Table{Columns: []terminal.Column{{Title: "HELD BY", Least: least}, {Title: "BLOBS", Right: true}, {Title: "SNAPSHOTS", Right: true}, {Title: "CONTENT", Right: true}, {Title: "ON DISK", Right: true}, {Title: "SIZE", Right: true}}}
	for _, h := range v.usage.Holders {
		if h.Blobs+h.Snapshots > 0 {
			t.Add(h.Class.String(), strconv.Itoa(h.Blobs), strconv.Itoa(h.Snapshots), terminal.Size(h.ContentBytes), onDisk(h.Amount), total(h.Amount))
		}
	}
	v.table(t, "BLOBS", "SNAPSHOTS", "CONTENT", "ON DISK")
}

func (v usage) namespaces() {
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "NAMESPACE", Least: 7}, {Title: "IMAGES", Right: true}, {Title: "NAMES", Right: true}, {Title: "CONTAINERS", Right: true}, {Title: "LEASES", Right: true},
		{Title: "CONTENT", Right: true}, {Title: "SNAPSHOTS", Right: true}, {Title: "SIZE", Right: true}, {Title: "UNIQUE", Right: true}, {Title: "RECLAIMABLE", Right: true},
	}}
	for _, n := range v.usage.Namespaces {
		t.Add(n.Name, strconv.Itoa(n.Images), strconv.Itoa(n.Names), strconv.Itoa(n.Containers), strconv.Itoa(n.Leases), terminal.Size(n.ContentBytes), onDisk(n.Amount),
			total(n.Amount), terminal.Size(n.UniqueBytes), terminal.Size(n.ReclaimableBytes))
	}
	v.table(t, "LEASES", "NAMES", "CONTAINERS", "CONTENT", "SNAPSHOTS", "UNIQUE", "IMAGES")
}

// From roomy columns on, names are more important than other columns.
const (
	roomy     = 80
	roomyName = 34
)

func (v usage) images() {
	least := terminal.LeastName
	if v.out.Width >= roomy {
		least = roomyName
	}
	t := terminal.Table{Columns: []terminal.Column{{Title: "IMAGE", Least: least, Middle: true}}}
	several := len(v.usage.Namespaces) > 1
	if several {
		t.Columns = append(t.Columns, terminal.Column{Title: "NAMESPACE", Least: 7})
	}
	t.Columns = append(t.Columns, terminal.Column{Title: "CREATED"})
	known := slices.ContainsFunc(v.usage.Images, func(i prune.ImageUsage) bool { return !i.LastUsedAt.IsZero() })
	if known {
		t.Columns = append(t.Columns, terminal.Column{Title: "USED"})
	}
	t.Columns = append(t.Columns, terminal.Column{Title: "SIZE", Right: true}, terminal.Column{Title: "SHARED", Right: true}, terminal.Column{Title: "UNIQUE", Right: true},
		terminal.Column{Title: "RECLAIMABLE", Right: true}, terminal.Column{Title: "REASON", Least: terminal.LeastText, Whole: true})
	for _, i := range v.usage.Images {
		cells := []string{imageTitle(v.out, i)}
		if several {
			cells = append(cells, i.Namespace)
		}
		cells = append(cells, terminal.Ago(v.now, i.CreatedAt))
		if known {
			cells = append(cells, used(v.now, i.LastUsedAt))
		}
		t.Add(append(cells, terminal.SizeAtLeast(i.TotalBytes, i.AtLeast), terminal.SizeAtLeast(i.SharedBytes, i.AtLeast), terminal.Size(i.UniqueBytes),
			terminal.Size(i.ReclaimableBytes), v.out.Prose(i.Reason))...)
	}
	spare := []string{"CREATED", "USED", "SHARED", "REASON", "RECLAIMABLE", "NAMESPACE", "SIZE", "UNIQUE"}
	v.table(t, slices.DeleteFunc(spare, func(title string) bool { return title == v.sorted })...)
	if slices.ContainsFunc(v.usage.Images, func(i prune.ImageUsage) bool { return i.AtLeast }) {
		v.out.Sentence(boundsExplained)
	}
}

// used says when an image was last used, in a column.
func used(now, at time.Time) string {
	switch {
	case at.IsZero():
		return "-"
	case !at.Before(now):
		return "now"
	}
	return terminal.Ago(now, at)
}

// imageTitle is the first name of an image and how many more there are.
func imageTitle(out *terminal.Printer, i prune.ImageUsage) string {
	return out.Name(FirstName(i.Names)) + more(i.Names)
}

func (v usage) objects() {
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "OBJECT", Least: terminal.LeastName, Middle: true}, {Title: "NAMESPACE", Least: 7}, {Title: "KIND"}, {Title: "SIZE", Right: true},
		{Title: "STATE", Paint: stateStyle}, {Title: "IMAGES", Right: true}, {Title: "HELD BY", Least: terminal.LeastText, Middle: true},
	}}
	for _, o := range v.usage.Objects {
		name := o.Snapshot
		if o.Digest != "" {
			name = string(o.Digest)
		}
		kind := string(o.Kind)
		if o.Layer > 0 {
			kind += " " + strconv.Itoa(o.Layer)
		}
		holder := o.Holder
		if holder == "" {
			holder = o.Class.String()
		}
		t.Add(v.out.Prose(name), strings.Join(o.Namespaces, ","), kind, terminal.SizeAtLeast(o.Bytes, o.AtLeast), string(o.State), imageCount(o), v.out.Prose(holder))
	}
	v.table(t, "IMAGES", "NAMESPACE", "HELD BY", "KIND")
}

func imageCount(o prune.ObjectUsage) string {
	if o.ImagesAtLeast {
		return "≥" + strconv.Itoa(o.Images)
	}
	return strconv.Itoa(o.Images)
}

func stateStyle(state string) terminal.Style {
	switch prune.ObjectState(state) {
	case prune.StateReclaimable:
		return terminal.Red
	case prune.StateGarbage, prune.StateHeld:
		return terminal.Yellow
	default:
		return terminal.Plain
	}
}

// table prints a table after an empty line, without the named columns where
// there is no room.
func (v usage) table(t terminal.Table, spare ...string) {
	if t.Empty() {
		return
	}
	v.out.Line("")
	t.Narrow(v.out, spare...)
	t.Print(v.out)
}

// FirstName is the name of an image that represents all of its names.
func FirstName(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
