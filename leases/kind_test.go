package leases

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

// noon is a time as labels keep them, to the second.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestKindOf(t *testing.T) {
	expiring := map[string]string{ExpireLabel: noon.Format(time.RFC3339)}
	flat := map[string]string{labelFlat: "2026-11-21"}
	flatExpiring := map[string]string{labelFlat: "", ExpireLabel: noon.Format(time.RFC3339)}
	temporary := map[string]string{labelFlat: "2026-11-21", "buildkit/lease.temporary": "2026-11-21"}
	const cache = "pe2sqmbcu368bevj7czyovvm5"
	for _, c := range []struct {
		id     string
		labels map[string]string
		want   Kind
		ours   bool
	}{
		{RunID, expiring, KindRun, true},
		{RunID, nil, KindRun, true},
		{"ctr-prune-takeover-r", expiring, KindClaim, true},
		{"ctr-prune-collect-r", expiring, KindCollect, true},
		{"ctr-prune-grace-r", expiring, KindGrace, false},
		{"ref_" + cache, nil, KindHistory, false},
		{"ref_" + cache, flat, KindCache, false},
		{"ref_" + cache, map[string]string{ExpireLabel: "never"}, KindOther, false}, // read as no expiry
		{"ref_" + cache, expiring, KindPull, false},
		{"ref_" + cache + "0", nil, KindOther, false},
		{"ref_abc", nil, KindOther, false},
		{cache, flat, KindCache, false},
		{cache + "-variants", nil, KindCache, false},
		{cache + "-view", temporary, KindView, false},
		{cache, temporary, KindBuild, false},
		{cache, nil, KindOther, false},
		{strings.Repeat("1a", 32), nil, KindOther, false},
		{strings.Repeat("1a", 32), expiring, KindPull, false},
		{strings.Repeat("1A", 32), nil, KindOther, false},
		{"abc", flatExpiring, KindPull, false},
		{"abc", expiring, KindPull, false},
		{"abc", nil, KindOther, false},
		{"ctr-prune2", nil, KindOther, false},
	} {
		lease := leases.Lease{ID: c.id, Labels: c.labels}
		if got := KindOf(lease); got != c.want {
			t.Errorf("%s %v is %q, want %q", c.id, c.labels, got, c.want)
		}
		if got := KindOf(lease).Ours(); got != c.ours {
			t.Errorf("%s %v is ours: %v", c.id, c.labels, got)
		}
	}
}

// An ID of 64 digits is Docker's if a snapshot has its name.
func TestKindOfDocker(t *testing.T) {
	id := strings.Repeat("1a", 32)
	for _, c := range []struct {
		held []leases.Resource
		want Kind
	}{
		{nil, KindOther},
		{[]leases.Resource{{Type: "content", ID: id}, {Type: "snapshots/overlayfs", ID: "sha256:" + id}}, KindOther},
		{[]leases.Resource{{Type: "snapshots/overlayfs", ID: id}}, KindMount},
		{[]leases.Resource{{Type: "snapshots/overlayfs", ID: id + "-init"}, {Type: "snapshots/overlayfs", ID: id}}, KindDocker},
		{[]leases.Resource{{Type: "snapshots/overlayfs", ID: id}, {Type: "snapshots/overlayfs", ID: id + "-init"}}, KindDocker},
	} {
		if got := KindOf(leases.Lease{ID: id}, c.held...); got != c.want {
			t.Errorf("%v is %q, want %q", c.held, got, c.want)
		}
	}
}
