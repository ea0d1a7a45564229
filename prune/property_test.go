package prune_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

const runShards = 4

// TestRunKeepsItsPromises prunes random stores from the first list to the
// report, with and without transactions, and holds the result against what the
// plan said and against what containers need.
func TestRunKeepsItsPromises(t *testing.T) {
	var runs, untagged, freed, standIns atomic.Int64
	t.Run("shards", func(t *testing.T) {
		for shard := range runShards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				dirs := tw.NewDirs(t)
				rapid.Check(t, func(t *rapid.T) {
					tw.SkipDraws(t, shard)
					report := checkRun(t, tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces}), dirs)
					if report == nil {
						return
					}
					runs.Add(1)
					untagged.Add(int64(len(report.Untagged)))
					freed.Add(int64(report.Reclaimed.Blobs + report.Reclaimed.Snapshots))
					for _, d := range report.Plan.Decisions {
						if d.Action == rules.StandIn {
							standIns.Add(1)
						}
					}
				})
			})
		}
	})
	t.Logf("%d runs: %d records untagged, %d objects freed, %d stand-ins", runs.Load(), untagged.Load(), freed.Load(), standIns.Load())
}

func checkRun(t *rapid.T, w tw.World, dirs func() (string, func())) *run.Report {
	dir, remove := dirs()
	defer remove()
	defer func() {
		if t.Failed() {
			t.Log(w)
		}
	}()
	s := w.Build(t, dir)
	defer func() { tw.Must(0, s.Close()) }()
	if w.Ends() { // what stands in for a record that is collected anyway may bring it back
		tw.Must(s.DB.GarbageCollect(context.Background()))
	}
	var store store.Store = s
	if rapid.Bool().Draw(t, "single deletions") {
		store = tw.Singly(s)
	}
	policy := tw.RandomPolicy(t, tw.ReadWhole(t, s))
	if rapid.Bool().Draw(t, "abort uploads") {
		policy.IngestAge = 1
	}
	plan := readAndPlan(t, store, policy)
	tw.CheckDecisions(t, plan)
	if plan.Empty() {
		return nil
	}
	needed := neededRecords(plan.Inventory)
	before := tw.DiskUse(t, s)
	report, err := run.Execute(context.Background(), plan, store, run.ExecuteOptions{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, plan, report, before-tw.DiskUse(t, s))
	checkRecords(t, s, plan, needed)
	checkContent(t, s, plan)
	tw.CheckNothingOfOurs(t, s)
	if again := readAndPlan(t, store, policy); !again.Empty() {
		t.Fatalf("a second run would do more, garbage %+v;\nfirst:\n%s\nsecond:\n%s", again.Garbage(), decisionLines(plan), decisionLines(again))
	}
	return report
}

func decisionLines(plan *plan.Plan) string {
	var b strings.Builder
	for _, d := range plan.Decisions {
		fmt.Fprintf(&b, "%s %s → %s: %s: %s\n", d.Namespace, d.Name, d.Target.Digest, d.Action, d.Reason)
	}
	return tw.Legend(b.String())
}

// said is what a plan tells apart from its document.
func said(p *plan.Plan) []any {
	o := p.Outcome
	return []any{o.Freed, o.Garbage, o.Held, o.Orphans, p.Decisions, p.Uploads, p.Notes, p.Refused}
}

// readAndPlan plans, and checks that planning is a pure function.
func readAndPlan(t tw.TB, store store.Store, policy rules.Policy) *plan.Plan {
	t.Helper()
	now := time.Now()
	p, err := flow.ReadPlan(context.Background(), store, policy, now, read.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inv := p.Inventory
	// The numbers of its nodes are nobody's business.
	if again := tw.Must(plan.NewPlan(inv, policy, now)); !reflect.DeepEqual(document.PlanDocument(p), document.PlanDocument(again)) || !reflect.DeepEqual(said(p), said(again)) {
		t.Fatalf("the same inventory, policy and time gave two plans:\n%+v\n%+v", document.PlanDocument(p), document.PlanDocument(again))
	}
	whole, err := flow.ReadPlan(context.Background(), store, policy, now, read.ReadOptions{AllSizes: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document.PlanDocument(p), document.PlanDocument(whole)); diff != "" {
		t.Fatalf("reading again gave another plan (-first +second):\n%s", diff)
	}
	return p
}

// checkReport compares what was measured with what was planned, and with the
// bytes that the files on the disk have lost.
func checkReport(t tw.TB, plan *plan.Plan, report *run.Report, lost int64) {
	t.Helper()
	if diff := cmp.Diff(plan.Predicted(), report.Reclaimed); diff != "" {
		t.Errorf("reclaimed (-predicted +measured):\n%s", diff)
	}
	doc := document.ReportDocument(report)
	frees := doc.RestBytes
	for _, image := range doc.Images {
		frees += image.FreesBytes
	}
	if frees != report.Reclaimed.TotalBytes {
		t.Errorf("the images and the rest free %d bytes, the run %d", frees, report.Reclaimed.TotalBytes)
	}
	if diff := cmp.Diff(plan.Garbage(), report.Garbage); diff != "" {
		t.Errorf("garbage (-predicted +measured):\n%s", diff)
	}
	if diff := cmp.Diff(plan.Held(), report.Held); diff != "" {
		t.Errorf("held (-predicted +measured):\n%s", diff)
	}
	if want := report.Reclaimed.ContentBytes + report.Garbage.ContentBytes; lost != want {
		t.Errorf("the disk lost %d bytes of blobs, the report says %d", lost, want)
	}
	if report.Others != (inventory.Amount{}) || len(report.Changes)+len(report.Errors)+len(report.Skipped)+len(report.Restored)+len(report.Recovered) > 0 {
		t.Errorf("something came between: %+v", report)
	}
	// The snapshotter of these worlds has no files.
	noSnapshots := len(plan.Outcome.Freed.Snapshots)+len(plan.Outcome.Garbage.Snapshots) == 0
	if !report.Measured || report.Verified != noSnapshots || report.Interrupted {
		t.Errorf("measured %v, verified %v, interrupted %v", report.Measured, report.Verified, report.Interrupted)
	}
	untagged := make(map[inventory.Record]bool)
	for _, record := range report.Untagged {
		untagged[record] = true
	}
	for _, d := range plan.Decisions {
		if d.Gone() != untagged[d.Record()] {
			t.Errorf("untagged %v: %+v", untagged[d.Record()], d)
		}
	}
	aborted := 0
	for _, u := range plan.Uploads {
		if u.Action == rules.Remove {
			aborted++
		}
	}
	if len(report.Aborted) != aborted {
		t.Errorf("aborted %+v, planned %+v", report.Aborted, plan.Uploads)
	}
}

// checkRecords checks that records are gone, kept as they were, or replaced,
// as planned, that no other namespace lost one, and that no container lost its
// image. A record that has expired may go with any collection.
func checkRecords(t tw.TB, s *root.RootStore, plan *plan.Plan, needed map[string][]digest.Digest) {
	t.Helper()
	actions := make(map[[2]string]rules.Decision)
	for _, d := range plan.Decisions {
		actions[d.Key()] = d
	}
	expired := gc.NewCollector(plan.Inventory, time.Now()).Expired
	for _, ns := range plan.Inventory.Namespaces {
		now := make(map[string]images.Image)
		targets := make(map[digest.Digest]bool)
		for _, image := range tw.Must(s.Images().List(store.InNamespace(context.Background(), ns.Name))) {
			now[image.Name] = image
			targets[image.Target.Digest] = true
		}
		for _, image := range ns.Images {
			d, chosen := actions[[2]string{ns.Name, image.Name}]
			after, there := now[image.Name]
			switch {
			case chosen && d.Gone():
				if there {
					t.Errorf("%s in %s is still there", tw.Legend(image.Name), ns.Name)
				}
				if d.StandIn != "" && now[d.StandIn].Target.Digest != d.Target.Digest {
					t.Errorf("%s has no stand-in %s", tw.Legend(image.Name), tw.Legend(d.StandIn))
				}
			case !there && !expired(&image):
				t.Errorf("%s in %s is gone", tw.Legend(image.Name), ns.Name)
			case there && !reflect.DeepEqual(image, after):
				t.Errorf("%s in %s changed:\n%s", tw.Legend(image.Name), ns.Name, cmp.Diff(image, after))
			}
		}
		for _, dgst := range needed[ns.Name] {
			if !targets[dgst] {
				t.Errorf("a container in %s uses %s, which has no record any more", ns.Name, tw.Legend(dgst.String()))
			}
		}
	}
}

// checkContent checks that the records that stay have lost none of the content that
// their targets lead to.
func checkContent(t tw.TB, s *root.RootStore, plan *plan.Plan) {
	t.Helper()
	for _, ns := range plan.Inventory.Namespaces {
		seen := make(map[digest.Digest]bool)
		ctx := store.InNamespace(context.Background(), ns.Name)
		var visit func(dgst digest.Digest, of string)
		visit = func(dgst digest.Digest, of string) {
			blob, there := ns.Blobs[dgst]
			if !there || seen[dgst] {
				return
			}
			seen[dgst] = true
			if _, err := s.Content().Info(ctx, dgst); err != nil {
				t.Errorf("%s in %s stays without its content: %v", tw.Legend(of), ns.Name, tw.Legend(err.Error()))
			}
			for _, label := range blob.Labels {
				if rest, ok := strings.CutPrefix(label.Key, "containerd.io/gc.ref.content"); ok && (rest == "" || strings.ContainsAny(rest[:1], "./")) {
					visit(digest.Digest(label.Value), of)
				}
			}
		}
		for _, d := range plan.Decisions {
			if d.Namespace == ns.Name && d.Action == rules.Keep {
				visit(d.Target.Digest, d.Name)
			}
		}
	}
}

// neededRecords lists, by namespace, the targets that containers name plainly:
// by a name, or by a target's digest. It shares no code with the planner.
func neededRecords(inv *inventory.Inventory) map[string][]digest.Digest {
	spellings := map[string]string{"a:1": "docker.io/library/a:1", "docker.io/library/b:latest": "b:latest"}
	expired := gc.NewCollector(inv, time.Now()).Expired
	needed := make(map[string][]digest.Digest)
	for _, ns := range inv.Namespaces {
		for _, container := range ns.Containers {
			for _, image := range ns.Images {
				byName := container.Image == image.Name || spellings[container.Image] == image.Name
				byDigest := container.Image == image.Target.Digest.String() || container.Image == "a@"+image.Target.Digest.String() ||
					container.Image == image.Target.Digest.Encoded()[:12]
				if (byName || byDigest) && !expired(&image) {
					needed[ns.Name] = append(needed[ns.Name], image.Target.Digest)
				}
			}
		}
	}
	return needed
}
