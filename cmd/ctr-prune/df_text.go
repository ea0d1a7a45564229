package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// usageText shows what a store holds to people.
type usageText struct {
	out   *printer
	usage *prune.DiskUsage
	now   time.Time
}

func (v usageText) show() {
	v.totals()
	v.holders()
	v.namespaces()
	v.images()
	v.objects()
}

func (v usageText) totals() {
	u := v.usage
	v.out.wrapped(quote("Total: "+sizes(u.Total)+", "+objects(u.Total.Blobs, u.Total.Snapshots)), "  ")
	v.out.wrapped(quote("Reclaimable by a prune --all: "+sizes(u.Reclaimable)), "  ")
	if u.IngestBytes > 0 {
		v.out.line("Unfinished uploads, besides: %s", humanSize(u.IngestBytes))
	}
}

func (v usageText) holders() {
	t := table{columns: []column{{title: "HELD BY", least: leastName}, {title: "BLOBS"}, {title: "SNAPSHOTS"}, {title: "CONTENT"}, {title: "ON DISK"}, {title: "SIZE"}}}
	for _, h := range v.usage.Holders {
		if h.Blobs+h.Snapshots > 0 {
			t.add(string(h.Class), itoa(h.Blobs), itoa(h.Snapshots), humanSize(h.ContentBytes), humanSize(h.SnapshotBytes), humanSize(h.TotalBytes))
		}
	}
	v.table(t, "BLOBS", "SNAPSHOTS", "CONTENT", "ON DISK")
}

func (v usageText) namespaces() {
	t := table{columns: []column{
		{title: "NAMESPACE", least: 7}, {title: "IMAGES"}, {title: "CONTAINERS"}, {title: "LEASES"},
		{title: "CONTENT"}, {title: "SNAPSHOTS"}, {title: "SIZE"}, {title: "UNIQUE"}, {title: "RECLAIMABLE"},
	}}
	for _, n := range v.usage.Namespaces {
		t.add(n.Name, itoa(n.Images), itoa(n.Containers), itoa(n.Leases), humanSize(n.ContentBytes), humanSize(n.SnapshotBytes),
			humanSize(n.TotalBytes), humanSize(n.Unique), humanSize(n.Reclaimable))
	}
	v.table(t, "LEASES", "CONTAINERS", "CONTENT", "SNAPSHOTS", "UNIQUE", "IMAGES")
}

// From a width of roomy columns on, names are worth more than other columns.
const (
	roomy     = 80
	roomyName = 34
)

func (v usageText) images() {
	least := leastName
	if v.out.width >= roomy {
		least = roomyName
	}
	t := table{columns: []column{{title: "IMAGE", least: least, middle: true}}}
	several := len(v.usage.Namespaces) > 1
	if several {
		t.columns = append(t.columns, column{title: "NAMESPACE", least: 7})
	}
	t.columns = append(t.columns, column{title: "CREATED"}, column{title: "SIZE"}, column{title: "SHARED"}, column{title: "UNIQUE"},
		column{title: "RECLAIMABLE"}, column{title: "REASON", least: leastReason})
	for _, i := range v.usage.Images {
		cells := []string{imageTitle(v.out, i)}
		if several {
			cells = append(cells, i.Namespace)
		}
		t.add(append(cells, ago(v.now, i.CreatedAt), boundSize(i.TotalBytes, i.AtLeast), boundSize(i.Shared, i.AtLeast), humanSize(i.Unique),
			humanSize(i.Reclaimable), v.out.prose(i.Reason))...)
	}
	v.table(t, "CREATED", "SHARED", "REASON", "RECLAIMABLE", "NAMESPACE", "SIZE")
	if slices.ContainsFunc(v.usage.Images, func(i prune.ImageUsage) bool { return i.AtLeast }) {
		v.out.sentence(boundsExplained)
	}
}

// imageTitle is the first name of an image and how many more there are.
func imageTitle(out *printer, i prune.ImageUsage) string {
	title := out.name(firstName(i.Names))
	if more := len(i.Names) - 1; more > 0 {
		title += fmt.Sprintf(" (+%d)", more)
	}
	return title
}

func (v usageText) objects() {
	t := table{columns: []column{
		{title: "OBJECT", least: leastName, middle: true}, {title: "NAMESPACE", least: 7}, {title: "KIND"}, {title: "SIZE"},
		{title: "STATE", paint: stateStyle}, {title: "IMAGES"}, {title: "HELD BY", least: leastReason, middle: true},
	}}
	for _, o := range v.usage.Objects {
		name := o.Snapshot
		if o.Digest != "" {
			name = string(o.Digest)
		}
		kind := string(o.Kind)
		if o.Layer > 0 {
			kind += " " + itoa(o.Layer)
		}
		holder := o.Holder
		if holder == "" {
			holder = string(o.Class)
		}
		t.add(v.out.prose(name), strings.Join(o.Namespaces, ","), kind, humanSize(o.Bytes), string(o.State), imageCount(o), v.out.prose(holder))
	}
	v.table(t, "IMAGES", "NAMESPACE", "HELD BY", "KIND")
}

func imageCount(o prune.ObjectUsage) string {
	if o.ImagesAtLeast {
		return "≥" + itoa(o.Images)
	}
	return itoa(o.Images)
}

func stateStyle(state string) style {
	switch prune.ObjectState(state) {
	case prune.StateReclaimable:
		return red
	case prune.StateGarbage, prune.StateHeld:
		return yellow
	default:
		return plain
	}
}

// table prints a table after an empty line, without the named columns where
// there is no room.
func (v usageText) table(t table, spare ...string) {
	if len(t.rows) == 0 {
		return
	}
	v.out.line("")
	t.narrow(v.out, spare...)
	t.print(v.out)
}
