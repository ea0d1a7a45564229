package leases

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

func TestKindOf(t *testing.T) {
	const cache = "pe2sqmbcu368bevj7czyovvm5"
	later := map[string]string{"containerd.io/gc.expire": time.Now().Add(time.Hour).Format(time.RFC3339)}
	flat := map[string]string{"containerd.io/gc.flat": "2026-11-21T09:48:35Z"}
	temporary := map[string]string{"containerd.io/gc.flat": "2026-11-21T09:48:35Z", "buildkit/lease.temporary": "2026-11-21T09:48:35Z"}
	for _, c := range []struct {
		id     string
		labels map[string]string
		want   Kind
	}{
		{RunID, later, KindRun},
		{"ref_onv1p95wu4ux0g9gguthy3l0k", nil, KindHistory},
		{"ref_onv1p95wu4ux0g9gguthy3l0k", later, KindPull},
		{cache, flat, KindCache},
		{cache + "-variants", nil, KindCache},
		{cache + "-view", temporary, KindBuild},
		{cache, nil, KindOther},
		{strings.Repeat("1a", 32), nil, KindDocker},
		{strings.Repeat("1a", 32), later, KindPull},
		{strings.Repeat("1A", 32), nil, KindOther},
		{"1234-abcd", later, KindPull},
		{"mine", nil, KindOther},
	} {
		if got := KindOf(leases.Lease{ID: c.id, Labels: c.labels}); got != c.want {
			t.Errorf("%s with %v: got %q, want %q", c.id, c.labels, got, c.want)
		}
	}
}
