// Package texttest has results with examples of everything, including hostile
// names, and compares how they are shown with golden files. Only tests import
// it.
package texttest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Update is set by -update.
var Update = flag.Bool("update", false, "write the golden files anew")

// cause gives a reason the code of its action's most common one.
func cause(reason string) prune.Cause {
	code, known := map[string]prune.Code{"unused": "unused", "its image is in use by container byid": "stand-in"}[reason]
	if !known {
		code = "in-use"
	}
	return prune.Cause{Reason: reason, ReasonCode: code}
}

// Causes are details of a decision.
func Causes(texts []string) []prune.Cause {
	all := []prune.Cause{}
	for _, text := range texts {
		all = append(all, prune.Cause{Reason: text, ReasonCode: "content-held"})
	}
	return all
}

// Golden compares with a file of testdata/golden.
func Golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nif that is meant: go test . -update, in this folder", path, diff)
	}
}

// Now is the clock of the tests.
func Now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// Sum is the digest of a text.
func Sum(s string) digest.Digest { return digest.FromString(s) }

// Rec is a record.
func Rec(ns, name string) prune.Record {
	return prune.Record{Namespace: ns, Name: name, Target: Sum(name)}
}

// Img is the decision about a record.
func Img(ns, name string, action prune.Action, reason string, details ...string) prune.ImageDocument {
	return prune.ImageDocument{Record: Rec(ns, name), Action: action, Cause: cause(reason), Details: Causes(details)}
}

// weighing is a decision with sizes, about an image so many hours old.
func weighing(image prune.ImageDocument, size, frees int64, hours int) prune.ImageDocument {
	image.SizeBytes, image.FreesBytes, image.CreatedAt = size, frees, Now().Add(-time.Duration(hours)*time.Hour)
	return image
}

// Evil is a name that no terminal should see.
const Evil = "evil.example/\x1b[31mred\u202e:\n1"

// Plan is a plan in which everything occurs.
func Plan() prune.Document {
	lease := `lease "ref_x" (build history)`
	return prune.Document{
		SchemaVersion: 1, Kind: prune.DocumentPlan, Time: Now(),
		Store: prune.StoreInfo{Kind: prune.StoreDaemon, Location: "/run/c.sock", ID: "id", Version: "2.4.2", Snapshotters: []string{"native"}},
		Policy: prune.PolicyDocument{
			Namespaces: []string{"default", "k8s.io"}, Filters: []string{"dangling=false", "until=72h"}, DanglingPrefixes: []string{},
		},
		Counts: prune.Counts{Images: 5, Remove: 3, StandIn: 1, Keep: 1},
		Images: []prune.ImageDocument{
			weighing(Img("default", Evil, prune.Remove, "unused"), 20_000_000, 12_000_000, 50),
			weighing(Img("default", "docker.io/library/used:1", prune.Keep, "in use by container web (nerdctl)"), 7_000_000, 0, 1),
			weighing(Img("default", "docker.io/library/byid:1", prune.StandIn, "its image is in use by container byid"), 8_000_000, 0, 90),
			weighing(Img("k8s.io", " ", prune.Remove, "unused"), 33_700_000, 33_600_000, 26),
			weighing(Img("k8s.io", "registry.example/app:2", prune.Remove, "unused", "its content is held by "+lease), 34_000_000, 0, 4000),
		},
		Untagged: []prune.Record{}, Deleted: []prune.DeletedDocument{},
		Uploads: []prune.Upload{
			{Namespace: "k8s.io", Ref: Evil, Bytes: 1000, UpdatedAt: Now(), Action: prune.Remove, Cause: prune.Cause{Reason: "abandoned", ReasonCode: "abandoned"}},
			{Namespace: "k8s.io", Ref: "fresh", Bytes: 1, UpdatedAt: Now(), Action: prune.Keep, Cause: prune.Cause{Reason: "last written to less than 24h ago", ReasonCode: "written-lately"}},
		},
		Aborted: []prune.Upload{}, Dropped: []prune.Skip{{Record: Rec("default", "docker.io/library/moved:1"), Cause: prune.Cause{Reason: "it is gone", ReasonCode: "gone"}}},
		Predicted: prune.Amount{Blobs: 3, Snapshots: 2, ContentBytes: 12_300_000, SnapshotBytes: 33_300_000, TotalBytes: 45_600_000},
		Garbage:   prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Held: []prune.Held{
			{Namespace: "k8s.io", Digest: Sum("a"), Bytes: 34_000_000, Keeper: prune.Keeper{Holder: lease, HeldBy: HeldBy("k8s.io", "lease", "ref_x")}},
			{Namespace: "k8s.io", Snapshot: "native/" + Sum("s").String(), Bytes: 100_000, Keeper: prune.Keeper{Holder: lease, HeldBy: HeldBy("k8s.io", "lease", "ref_x")}},
			{Namespace: "default", Digest: Sum("b"), Bytes: 7, Keeper: prune.Keeper{Holder: "image \"" + Evil + "\" in namespace \"other\"", HeldBy: HeldBy("other", "image", Evil)}},
			{Namespace: "k8s.io", Digest: Sum("b"), Bytes: 7, Keeper: prune.Keeper{Holder: "image \"" + Evil + "\" in namespace \"other\"", HeldBy: HeldBy("other", "image", Evil)}},
		},
		Skipped: []prune.Skip{}, Restored: []prune.Restored{}, Recovered: []prune.Recovered{},
		Unfinished: []string{"default"}, Changes: []prune.Cause{},
		Notes:     []prune.Cause{{Reason: "container old uses \"gone:1\", which is not in the store", ReasonCode: "image-absent"}},
		Refused:   []prune.Refusal{{Namespace: "moby", Cause: prune.Cause{Reason: "the Docker API does not answer", ReasonCode: "client-failed"}}},
		Elsewhere: []prune.NamespaceCount{{Namespace: "buildkit", Images: 2}},
		Errors:    []prune.Cause{},
	}
}

// Report is what came of Plan.
func Report() prune.Document {
	d := Plan()
	d.Kind = prune.DocumentReport
	d.Untagged = []prune.Record{Rec("default", "docker.io/library/byid:1"), Rec("default", Evil)}
	d.Images[2].StandIn = "<none>@" + Sum("docker.io/library/byid:1").String()
	d.Skipped = []prune.Skip{{Record: Rec("k8s.io", "registry.example/app:2"), Cause: prune.Cause{Reason: "it has been moved to another image since the plan was made", ReasonCode: "moved"}}}
	d.Restored = []prune.Restored{{Namespace: "k8s.io", Name: " ", Target: Sum(" "), Cause: prune.Cause{Reason: "in use by container late", ReasonCode: "in-use"}}}
	d.Recovered = []prune.Recovered{{
		Namespace: "default", Run: "RUN", Owner: "process 42 on node", Started: Now().Add(-time.Hour),
		Untagged: []prune.Record{Rec("default", "old:1")}, Restored: []prune.Restored{},
	}}
	d.Aborted, d.Grace = d.Uploads[:1], &prune.Grace{Run: "RUN2", Until: Now().Add(time.Hour)}
	d.Deleted = []prune.DeletedDocument{
		{Digest: Sum("a"), Bytes: 12_000_000},
		{Namespace: "default", Snapshot: "native/" + Sum("s").String(), Bytes: 33_000_000},
	}
	d.Reclaimed = prune.Amount{Blobs: 1, Snapshots: 1, ContentBytes: 12_000_000, SnapshotBytes: 33_000_000, TotalBytes: 45_000_000}
	d.Others = prune.Amount{Snapshots: 1, SnapshotBytes: 5, TotalBytes: 5}
	d.Changes = []prune.Cause{{Reason: Sum("c").String() + " was expected to be removed but is still there: held by container late", ReasonCode: "still-held"}}
	d.Measured, d.Verified, d.Stall = true, true, 1.4
	d.Errors = []prune.Cause{{Reason: "deleting image \"x\": no", ReasonCode: "not-deleted"}}
	return d
}

// Explanation is one with every part.
func Explanation() *prune.Explanation {
	obj := func(kind, ns, name string) prune.Object { return prune.Object{Kind: kind, Namespace: ns, Name: name} }
	target := Sum("target").String()
	e := &prune.Explanation{
		Object: obj("image", "default", Evil), Target: digest.Digest(target), CreatedAt: Now(),
		UsedBy:          []string{"container web (nerdctl)"},
		UseWatchedSince: Now().Add(-100 * 24 * time.Hour),
		Labels:          []string{"pinned=true", "team=" + strings.Repeat("a", 300)}, MoreLabels: 7,
		KeptBy: []prune.Keeper{
			keptBy(obj("lease", "other", "pull"), "lease \"pull\" (other client) in namespace \"other\"", "", "ctr -n other leases rm pull"),
			keptBy(obj("image", "default", Evil), "", "ctr-prune/keep=yes", "ctr -n default images label x ctr-prune/keep="),
		},
		Notes: []prune.Cause{{Reason: "label pinned=true on \"x\" does not keep it, although it looks so; this does: ctr", ReasonCode: "label-without-effect"}},
		Chains: [][]prune.Object{
			{obj("image", "default", Evil), obj("content", "default", target)},
			{obj("image", "default", "docker.io/library/other:1"), obj("content", "default", target)},
			{obj("lease", "other", "pull\x1b[2J"), obj("content", "other", Sum("index").String()), obj("content", "default", target)},
		},
		MoreChains: 3,
		Holds:      prune.Amount{Blobs: 4, Snapshots: 2, ContentBytes: 1_000_000, SnapshotBytes: 2_000_000, TotalBytes: 3_000_000},
		Frees:      prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Parts: []prune.Part{{Kind: "index", Name: target, Bytes: 500, Parts: []prune.Part{
			{Kind: "manifest", Name: Sum("m").String(), Bytes: 400, Parts: []prune.Part{
				{Kind: "config", Name: Sum("c").String(), Bytes: 300, Parts: []prune.Part{
					{Kind: "snapshot", Layer: 1, Name: "native/" + Sum("s").String(), Bytes: 2_000_000, Shared: true},
				}},
				{Kind: "layer", Layer: 1, Name: Sum("l").String(), Bytes: 999_000, Shared: true},
				{Kind: "layer", Layer: 2, Name: Sum("l2").String(), Missing: true},
			}},
			{Kind: "manifest", Name: Sum("m2").String(), Missing: true},
		}, MoreParts: 2}},
		Decisions: []prune.ImageDocument{Img("default", Evil, prune.Keep, "in use by container web (nerdctl)")},
	}
	e.LastUsedAt, e.LastUsedBy = Now().Add(-73*time.Hour), "container \x1b[2Jweb"
	return e
}

func keptBy(by prune.Object, holder, label, command string) prune.Keeper {
	k := prune.Keeper{Holder: holder, HeldBy: by}
	k.HolderParts = newOf(k.HolderParts)
	k.HolderParts.Label, k.HolderParts.Command = label, command
	return k
}

// newOf makes what a pointer is for: its type has no name here.
func newOf[T any](*T) *T { return new(T) }

// Usage is a store with all that it can have.
func Usage() *prune.DiskUsage {
	amount := prune.Amount{Blobs: 3, Snapshots: 2, ContentBytes: 12_000_000, SnapshotBytes: 30_000_000, TotalBytes: 42_000_000}
	u := &prune.DiskUsage{
		Total: amount, IngestBytes: 5000, Reclaimable: prune.Amount{Blobs: 1, ContentBytes: 1000, TotalBytes: 1000},
		Holders: []prune.HolderUsage{{Class: prune.HeldByImages, Amount: amount}, {Class: prune.HeldByNothing, Amount: prune.Amount{Blobs: 1}}, {Class: prune.HeldByGrace}},
		Namespaces: []prune.NamespaceUsage{
			{Name: "default", Images: 2, Containers: 1, Amount: amount, UniqueBytes: 10, ReclaimableBytes: 1000},
			{Name: "k8s.io", Images: 12, Amount: amount},
		},
		Images: []prune.ImageUsage{
			{Namespace: "default", Names: []string{Evil, "b"}, Target: Sum("t"), CreatedAt: Now().Add(-50 * time.Hour), LastUsedAt: Now().Add(-26 * time.Hour), LastUsedBy: "container " + Evil, Amount: amount, SharedBytes: 41_000_000, UniqueBytes: 1_000_000, Unused: true, ReclaimableBytes: 1000, Cause: prune.Cause{Reason: "unused"}},
			{Namespace: "k8s.io", Names: []string{"registry.k8s.io/a/very/long/repository/of/an/image:v1.2.3"}, Amount: amount, Cause: prune.Cause{Reason: "in use by container web (nerdctl)"}},
		},
		Objects: []prune.ObjectUsage{
			{Namespaces: []string{"default", "k8s.io"}, Digest: Sum("l"), Kind: "layer", Layer: 1, Bytes: 12_000_000, State: prune.StateShared, Images: 2, Class: prune.HeldByImages, Keeper: prune.Keeper{Holder: "image \"" + Evil + "\""}},
			{Namespaces: []string{"default"}, Snapshot: "native/" + Sum("s").String(), Kind: "snapshot", Layer: 1, Bytes: 7, State: prune.StateGarbage, Class: prune.HeldByNothing},
		},
	}
	for _, class := range []prune.HolderClass{prune.HeldByImages, prune.HeldByContainers, "build-cache", prune.HeldByLeases, prune.HeldByIngests, prune.HeldByNothing} {
		u.Types = append(u.Types, elementOf(u.Types))
		u.Types[len(u.Types)-1].Type = class
	}
	images, uploads := &u.Types[0], &u.Types[4]
	images.Total, images.Active, images.SizeBytes, images.ReclaimableBytes = 14, 2, 42_000_000, 1000
	uploads.Total, uploads.SizeBytes = 1, 5000
	return u
}

// elementOf makes what a list is of: its type has no name here.
func elementOf[T any]([]T) (element T) { return element }

// Leases are two, one of which has expired.
func Leases() []prune.LeaseInfo {
	return []prune.LeaseInfo{
		{Namespace: "default", ID: "pull\x1b[2J", Kind: leases.KindPull, CreatedAt: Now().Add(-time.Hour), Expires: Now().Add(23 * time.Hour), Resources: 3, Alone: prune.Amount{TotalBytes: 1000}, Action: prune.Keep, Cause: prune.Cause{Reason: "a pull or build in progress, or one that was interrupted; it expires by itself"}},
		{Namespace: "buildkit", ID: "abcdefghijklmnopqrstuvwxyz", Kind: leases.KindCache, Flat: true, Action: prune.Remove, Cause: prune.Cause{Reason: "expired"}},
	}
}

// HeldBy is a holder.
func HeldBy(namespace, kind, name string) prune.Object {
	return prune.Object{Namespace: namespace, Kind: kind, Name: name}
}
