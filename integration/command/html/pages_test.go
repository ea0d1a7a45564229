package html

import (
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// usagePage is the page of `df --html`.
func usagePage(t *testing.T, s sample) htmlreport.Page {
	t.Helper()
	plan, err := s.plan(filters.Everything())
	if err != nil {
		t.Fatal(err)
	}
	return htmlreport.Page{Host: "build-7", Usage: prune.Usage(plan, true), Generated: now}
}

// planPage is that of a prune of all that is older than 30 days, not yet run.
func planPage(t *testing.T, s sample) htmlreport.Page {
	t.Helper()
	set, err := filters.Parse(filters.Options{All: true, Until: []string{"30d"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.plan(set)
	if err != nil {
		t.Fatal(err)
	}
	doc := prune.PlanDocument(plan)
	return htmlreport.Page{Usage: prune.Usage(plan, true), Document: &doc, Generated: now}
}

// chosenPage is a plan for some namespaces only.
func chosenPage(t *testing.T, s sample, namespaces ...string) htmlreport.Page {
	t.Helper()
	set, err := filters.Parse(filters.Options{All: true, Until: []string{"30d"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := prune.NewPlan(s.inv, prune.Policy{Namespaces: namespaces, Filters: set}, now)
	if err != nil {
		t.Fatal(err)
	}
	doc := prune.PlanDocument(plan)
	return htmlreport.Page{Host: "build-7", Usage: prune.Usage(plan, true), Document: &doc, Generated: now}
}

// servePage is the page of serve on a node with a full disk.
func servePage(t *testing.T, s sample) htmlreport.Page {
	t.Helper()
	page := planPage(t, s)
	page.Title, page.Host = "What the next run would do", "node-1"
	page.Node = &htmlreport.Node{
		Time: now.Add(42 * time.Second), Read: now, Why: "idle until the next run at 2026-11-20T12:00:00Z", NextRun: now.Add(150 * time.Minute),
		Problems: []string{"use of images is not watched: looking: the state folder cannot be written"},
		Disks: []htmlreport.Disk{
			{Name: "/var/lib/containerd", Capacity: 240e9, Available: 49e9, Used: 80, Inodes: 31, Low: 65, High: 75, Critical: 88, Full: true},
			{Name: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs", Capacity: 500e9, Available: 280e9, Used: 44, Inodes: 12, Low: 65, High: 75, Critical: 88},
		},
		Runs: []htmlreport.NodeRun{
			{Name: "20261120-060000-abcdef", Trigger: "schedule", Result: "done", Started: now.Add(-210 * time.Minute), Took: 4 * time.Second, Removed: 12, Bytes: 3_200e6},
			{Name: "20261120-000000-fedcba", Trigger: "schedule", Result: "failed", Started: now.Add(-570 * time.Minute), Took: 31 * time.Second, Error: "containerd did not answer for 30s"},
		},
	}
	return page
}

// reportPage is that of the same prune after it, in which one object that
// was to go is still there.
func reportPage(t *testing.T, s sample) htmlreport.Page {
	t.Helper()
	page := planPage(t, s)
	doc := page.Document
	doc.Kind, doc.Measured, doc.Verified = prune.DocumentReport, true, true
	stayed := false
	for _, o := range page.Usage.Objects {
		switch {
		case o.State != prune.StateReclaimable:
		case !stayed && o.Digest != "" && o.Bytes > 1e6 && o.Bytes < 30e6:
			stayed = true
			doc.Changes = append(doc.Changes, prune.Cause{Reason: o.Digest.String() + ` was expected to be removed but is still there: held by lease "pull-4711", which will expire in 23h`, ReasonCode: "still-held"})
		default:
			freed := prune.DeletedDocument{Digest: o.Digest, Snapshot: o.Snapshot, Bytes: o.Bytes}
			if o.Snapshot != "" {
				freed.Namespace = o.Namespaces[0]
				doc.Reclaimed.Snapshots++
				doc.Reclaimed.SnapshotBytes += o.Bytes
			} else {
				doc.Reclaimed.Blobs++
				doc.Reclaimed.ContentBytes += o.Bytes
			}
			doc.Reclaimed.TotalBytes += o.Bytes
			doc.Deleted = append(doc.Deleted, freed)
		}
	}
	for i, d := range doc.Images {
		switch {
		case d.Action == prune.Keep:
		case len(doc.Skipped) == 0 && i > 20:
			doc.Skipped = append(doc.Skipped, prune.Skip{Record: d.Record, Cause: prune.Cause{Reason: "it was tagged anew after the plan"}})
		default:
			doc.Untagged = append(doc.Untagged, d.Record)
		}
	}
	page.Generated = now.Add(3 * time.Second)
	return page
}
