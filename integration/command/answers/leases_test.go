package answers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

type leasesDocument struct {
	Leases    []prune.LeaseInfo `json:"leases"`
	Removed   []prune.LeaseInfo `json:"removed"`
	Recovered []prune.Recovered `json:"recovered"`
	Reclaimed prune.Amount      `json:"reclaimed"`
	Garbage   prune.Amount      `json:"garbage"`
}

// Expired leases go and interrupted runs are finished; all others stay. A
// running daemon may take an expired lease by itself at any moment, so what is
// said of one is only certain on a root.
func TestLeases(t *testing.T) {
	everywhere(t, func(n *node) {
		ctx := t.Context()
		old := imagestore.New(5).Image(imagestore.Spec{})
		n.change(func(s imagestore.Store) error {
			if err := s.PullLease(ctx, "expired", time.Now().Add(-time.Hour), old); err != nil {
				return err
			}
			return n.interruptedRun(s)
		})
		list := read[leasesDocument](n, "leases").Leases
		want := map[string]prune.Action{"expired": prune.Remove, leases.RunID: prune.Remove, "pulling": prune.Keep, imagestore.HistoryID("u7w5c2jq1xyz"): prune.Keep}
		for _, l := range list {
			if l.Action != want[l.ID] || l.Reason == "" {
				t.Errorf("%s: %s because %q", l.ID, l.Action, l.Reason)
			}
			if l.ID == "pulling" && l.Alone.Blobs != len(n.pulled.Blobs()) {
				t.Errorf("the pull alone holds %+v", l.Alone)
			}
		}
		if len(list) != len(want) && (n.stopped || len(list) != len(want)-1) {
			t.Errorf("leases: %+v", list)
		}
		before := n.state()
		told := n.run(0, "leases", "prune", "--dry-run").Stdout
		n.wantText(told, "ctr-prune run", "remove", "keep")
		if n.stopped {
			n.wantText(told, "expired: containerd no longer honours it")
			n.wantSame(before)
		}
		n.wantText(n.run(2, "leases", "prune").Stderr, "--force")
		n.prunedLeases(old)
	})
}

// interruptedRun leaves the lock of a run that was killed.
func (n *node) interruptedRun(s imagestore.Store) error {
	return s.RunLease(n.t.Context(), "killed", true)
}

func (n *node) prunedLeases(old *imagestore.Image) {
	n.t.Helper()
	got := read[leasesDocument](n, "leases", "prune", "--force")
	removed := len(got.Removed)
	if removed != 2 && (n.stopped || removed != 1) || len(got.Recovered) != 1 || got.Recovered[0].Run != "killed" {
		n.t.Errorf("removed %+v, recovered %+v", got.Removed, got.Recovered)
	}
	after := n.state()
	for id := range after.Namespaces["default"].Leases {
		if id != "pulling" && id != imagestore.HistoryID("u7w5c2jq1xyz") {
			n.t.Errorf("lease %q is left", id)
		}
	}
	for _, b := range old.Blobs() {
		if _, left := after.Files[b.Desc.Digest]; left {
			n.t.Errorf("blob %s, which only the expired lease held, is left", b.Desc.Digest)
		}
	}
	if len(after.Namespaces["default"].Images) != 6 {
		n.t.Errorf("records: %v", after.Namespaces["default"].Images)
	}
}

// Abandoned uploads go when asked for, and are told of.
func TestIngests(t *testing.T) {
	everywhere(t, func(n *node) {
		n.wantText(n.run(2, "--ingests=1h", "--dry-run").Stderr, "24h or more")
		doc := read[prune.Document](n, "--ingests", "--dry-run")
		if len(doc.Uploads) != 1 || doc.Uploads[0].Action != prune.Keep || !strings.Contains(doc.Uploads[0].Reason, "less than") {
			t.Errorf("a fresh upload: %+v", doc.Uploads)
		}
		n.ageUploads(48 * time.Hour)
		doc = read[prune.Document](n, "--ingests", "--dry-run", "--filter", "reference=none")
		if len(doc.Uploads) != 1 || doc.Uploads[0].Action != prune.Remove {
			t.Fatalf("an old upload: %+v", doc.Uploads)
		}
		n.wantText(n.run(0, "--ingests", "--force", "--filter", "reference=none").Stdout, "Aborted: upload layer-sha256:upload")
		if left := n.state().Namespaces["default"].Ingests; len(left) > 0 {
			t.Errorf("uploads left: %+v", left)
		}
	})
}

// Lines are printed while the run goes on: the stages and each record before
// the summary.
func TestEventsAsTheyHappen(t *testing.T) {
	everywhere(t, func(n *node) {
		r := n.run(0, "--all", "--force", "--format", "jsonl")
		seen := make(map[string]int)
		var order []string
		for line := range strings.SplitSeq(strings.TrimSpace(r.Stdout), "\n") {
			var e struct{ Type, Stage string }
			n.must(json.Unmarshal([]byte(line), &e))
			seen[e.Type]++
			order = append(order, e.Type+":"+e.Stage)
		}
		if seen["untagged"] != 5 || seen["image"] != 6 || seen["summary"] != 1 || order[0] != "stage:reading" || order[len(order)-1] != "summary:" {
			t.Errorf("%v in %v", seen, order)
		}
		at := func(what string) int { return strings.Index(strings.Join(order, " ")+" ", what) }
		if at("stage:deleting") > at("untagged:") || at("untagged:") > at("stage:collecting") || at("stage:deleting") > at("stage:collecting") || at("stage:measuring") < 0 {
			t.Errorf("the order: %v", order)
		}
	})
}
