package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata/golden.
// cause gives a reason the code of its action's most common one.
func cause(reason string) prune.Cause {
	code, known := map[string]prune.Code{"unused": "unused", "its image is in use by container byid": "stand-in"}[reason]
	if !known {
		code = "in-use"
	}
	return prune.Cause{Reason: reason, ReasonCode: code}
}

// causes are details of a decision.
func causes(texts []string) []prune.Cause {
	all := []prune.Cause{}
	for _, text := range texts {
		all = append(all, prune.Cause{Reason: text, ReasonCode: "content-held"})
	}
	return all
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nif that is meant: go test ./cmd/ctr-prune -update", path, diff)
	}
}

func sum(s string) digest.Digest { return digest.FromString(s) }

func rec(ns, name string) prune.Record {
	return prune.Record{Namespace: ns, Name: name, Target: sum(name)}
}

func img(ns, name string, action prune.Action, reason string, details ...string) prune.ImageDocument {
	return prune.ImageDocument{Record: rec(ns, name), Action: action, Cause: cause(reason), Details: causes(details)}
}

const evil = "evil.example/\x1b[31mred\u202e:\n1"

// planDoc is a plan in which everything occurs.
func planDoc() prune.Document {
	lease := `lease "ref_x" (build history)`
	return prune.Document{
		SchemaVersion: 1, Kind: prune.DocumentPlan, Time: fixedNow(),
		Store: prune.StoreInfo{Kind: prune.StoreDaemon, Location: "/run/c.sock", ID: "id", Version: "2.4.2", Snapshotters: []string{"native"}},
		Policy: prune.PolicyDocument{
			Namespaces: []string{"default", "k8s.io"}, Filters: []string{"dangling=false", "until=72h"}, DanglingPrefixes: []string{},
		},
		Counts: prune.Counts{Images: 5, Remove: 3, StandIn: 1, Keep: 1},
		Images: []prune.ImageDocument{
			img("default", evil, prune.Remove, "unused"),
			img("default", "docker.io/library/used:1", prune.Keep, "in use by container web (nerdctl)"),
			img("default", "docker.io/library/byid:1", prune.StandIn, "its image is in use by container byid"),
			img("k8s.io", " ", prune.Remove, "unused"),
			img("k8s.io", "registry.example/app:2", prune.Remove, "unused", "its content stays, held by "+lease),
		},
		Untagged: []prune.Record{}, Deleted: []prune.DeletedDocument{},
		Uploads: []prune.Upload{
			{Namespace: "k8s.io", Ref: evil, Bytes: 1000, UpdatedAt: fixedNow(), Action: prune.Remove, Cause: prune.Cause{Reason: "abandoned", ReasonCode: "abandoned"}},
			{Namespace: "k8s.io", Ref: "fresh", Bytes: 1, UpdatedAt: fixedNow(), Action: prune.Keep, Cause: prune.Cause{Reason: "last written to less than 24h ago", ReasonCode: "written-lately"}},
		},
		Aborted: []prune.Upload{}, Dropped: []prune.Skip{{Record: rec("default", "docker.io/library/moved:1"), Cause: prune.Cause{Reason: "it is gone", ReasonCode: "gone"}}},
		Predicted: prune.Amount{Blobs: 3, Snapshots: 2, ContentBytes: 12_300_000, SnapshotBytes: 33_300_000, TotalBytes: 45_600_000},
		Garbage:   prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Held: []prune.Held{
			{Namespace: "k8s.io", Digest: sum("a"), Bytes: 34_000_000, Keeper: prune.Keeper{Holder: lease, HeldBy: heldBy("k8s.io", "lease", "ref_x")}},
			{Namespace: "k8s.io", Snapshot: "native/" + sum("s").String(), Bytes: 100_000, Keeper: prune.Keeper{Holder: lease, HeldBy: heldBy("k8s.io", "lease", "ref_x")}},
			{Namespace: "default", Digest: sum("b"), Bytes: 7, Keeper: prune.Keeper{Holder: "image \"" + evil + "\" in namespace \"other\"", HeldBy: heldBy("other", "image", evil)}},
			{Namespace: "k8s.io", Digest: sum("b"), Bytes: 7, Keeper: prune.Keeper{Holder: "image \"" + evil + "\" in namespace \"other\"", HeldBy: heldBy("other", "image", evil)}},
		},
		Skipped: []prune.Skip{}, Restored: []prune.Restored{}, Recovered: []prune.Recovered{},
		Unfinished: []string{"default"}, Changes: []string{},
		Notes:     []string{"container old uses \"gone:1\", which is not in the store"},
		Refused:   []prune.Refusal{{Namespace: "moby", Cause: prune.Cause{Reason: "the Docker API does not answer", ReasonCode: "client-failed"}}},
		Elsewhere: []prune.NamespaceCount{{Namespace: "buildkit", Images: 2}},
		Errors:    []string{},
	}
}

// reportDoc is what came of planDoc.
func reportDoc() prune.Document {
	d := planDoc()
	d.Kind = prune.DocumentReport
	d.Untagged = []prune.Record{rec("default", "docker.io/library/byid:1"), rec("default", evil)}
	d.Images[2].StandIn = "<none>@" + sum("docker.io/library/byid:1").String()
	d.Skipped = []prune.Skip{{Record: rec("k8s.io", "registry.example/app:2"), Cause: prune.Cause{Reason: "it was moved to another image since the plan was made", ReasonCode: "moved"}}}
	d.Restored = []prune.Restored{{Namespace: "k8s.io", Name: " ", Target: sum(" "), Cause: prune.Cause{Reason: "in use by container late", ReasonCode: "in-use"}}}
	d.Recovered = []prune.Recovered{{
		Namespace: "default", Run: "RUN", Owner: "process 42 on node", Started: fixedNow().Add(-time.Hour),
		Untagged: []prune.Record{rec("default", "old:1")}, Restored: []prune.Restored{},
	}}
	d.Aborted, d.Grace = d.Uploads[:1], &prune.Grace{Run: "RUN2", Until: fixedNow().Add(time.Hour)}
	d.Deleted = []prune.DeletedDocument{
		{Digest: sum("a"), Bytes: 12_000_000},
		{Namespace: "default", Snapshot: "native/" + sum("s").String(), Bytes: 33_000_000},
	}
	d.Reclaimed = prune.Amount{Blobs: 1, Snapshots: 1, ContentBytes: 12_000_000, SnapshotBytes: 33_000_000, TotalBytes: 45_000_000}
	d.Others = prune.Amount{Snapshots: 1, SnapshotBytes: 5, TotalBytes: 5}
	d.Changes = []string{sum("c").String() + " was expected to go and is still there: held by container late"}
	d.Measured, d.Verified = true, true
	d.Errors = []string{"deleting image \"x\": no"}
	return d
}
