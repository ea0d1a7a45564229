package metrics

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune"
)

var noon = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

// filled has a value of every metric.
func filled() *Metrics {
	m := New("1.2.3", func() time.Time { return noon })
	m.Tracking(func() time.Time { return noon.Add(-time.Hour) })
	m.Ran("schedule", "done", noon.Add(-2*time.Second), noon)
	m.Removed(prune.Document{
		Untagged:  []prune.Record{{Namespace: "default"}, {Namespace: "k8s.io"}, {Namespace: "default"}},
		Skipped:   []prune.Skip{{Record: prune.Record{Namespace: "default"}}},
		Restored:  []prune.Restored{{Namespace: "default"}},
		Reclaimed: prune.Amount{ContentBytes: 3, SnapshotBytes: 5}, Predicted: prune.Amount{ContentBytes: 7, SnapshotBytes: 11},
		Stall: .2,
	})
	m.Looked(&prune.DiskUsage{
		Reclaimable: prune.Amount{ContentBytes: 13, SnapshotBytes: 17},
		Holders:     []prune.HolderUsage{{Class: prune.HeldByImages, Amount: prune.Amount{ContentBytes: 19, SnapshotBytes: 23}}},
	}, &prune.Plan{Decisions: []prune.Decision{{Action: prune.Keep}, {Action: prune.Remove}, {Action: prune.Keep}}})
	m.Up(true)
	m.Configured(false)
	m.Watching(false)
	m.KubeletConflicts(2)
	m.Clients("docker", "pods")
	m.ClientFailed("docker")
	m.Disks([]Disk{{FS: "/gone"}})
	m.Disks([]Disk{{FS: "/var/lib/containerd", Capacity: 100, Available: 20, Inodes: 50, InodesFree: 10, Marks: map[string]float64{"high": .75}, Pressure: true}})
	return m
}

// scrape is what Prometheus reads.
func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// Each metric has the name that is documented, and the value that it was given.
func TestMetrics(t *testing.T) {
	got := regexp.MustCompile(`(?m)^(ctr_prune_\S+) (\S+)$`).FindAllStringSubmatch(scrape(filled()), -1)
	values := make(map[string]string)
	for _, m := range got {
		if !regexp.MustCompile(`_bucket`).MatchString(m[1]) {
			values[m[1]] = m[2]
		}
	}
	want := map[string]string{
		`ctr_prune_runs_total{result="done",trigger="schedule"}`:             "1",
		`ctr_prune_run_duration_seconds_sum`:                                 "2",
		`ctr_prune_run_duration_seconds_count`:                               "1",
		`ctr_prune_last_run_timestamp_seconds{result="done"}`:                "1.7676144e+09",
		`ctr_prune_records_total{action="removed",namespace="default"}`:      "2",
		`ctr_prune_records_total{action="removed",namespace="k8s.io"}`:       "1",
		`ctr_prune_records_total{action="skipped",namespace="default"}`:      "1",
		`ctr_prune_records_total{action="restored",namespace="default"}`:     "1",
		`ctr_prune_reclaimed_bytes_total{kind="content"}`:                    "3",
		`ctr_prune_reclaimed_bytes_total{kind="snapshots"}`:                  "5",
		`ctr_prune_predicted_bytes_total{kind="content"}`:                    "7",
		`ctr_prune_predicted_bytes_total{kind="snapshots"}`:                  "11",
		`ctr_prune_restored_total`:                                           "1",
		`ctr_prune_collection_stall_seconds_sum`:                             "0.2",
		`ctr_prune_collection_stall_seconds_count`:                           "1",
		`ctr_prune_store_bytes{holder="images",kind="content"}`:              "19",
		`ctr_prune_store_bytes{holder="images",kind="snapshots"}`:            "23",
		`ctr_prune_reclaimable_bytes{kind="content"}`:                        "13",
		`ctr_prune_reclaimable_bytes{kind="snapshots"}`:                      "17",
		`ctr_prune_images{namespace="",state="keep"}`:                        "2",
		`ctr_prune_images{namespace="",state="remove"}`:                      "1",
		`ctr_prune_filesystem_capacity_bytes{fs="/var/lib/containerd"}`:      "100",
		`ctr_prune_filesystem_available_bytes{fs="/var/lib/containerd"}`:     "20",
		`ctr_prune_filesystem_inodes{fs="/var/lib/containerd",state="free"}`: "10",
		`ctr_prune_filesystem_inodes{fs="/var/lib/containerd",state="used"}`: "40",
		`ctr_prune_watermark_ratio{fs="/var/lib/containerd",mark="high"}`:    "0.75",
		`ctr_prune_pressure{fs="/var/lib/containerd"}`:                       "1",
		`ctr_prune_target_unreached{fs="/var/lib/containerd"}`:               "0",
		`ctr_prune_use_tracking_seconds`:                                     "3600",
		`ctr_prune_config_last_reload_successful`:                            "0",
		`ctr_prune_kubelet_conflicts`:                                        "2",
		`ctr_prune_use_failing`:                                              "1",
		`ctr_prune_containerd_up`:                                            "1",
		`ctr_prune_client_errors_total{client="docker"}`:                     "1",
		`ctr_prune_client_errors_total{client="pods"}`:                       "0",
		`ctr_prune_build_info{version="1.2.3"}`:                              "1",
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Two residents in one process, as in tests, do not count together.
func TestMetricsAreNotGlobal(t *testing.T) {
	filled()
	m := New("", func() time.Time { return noon })
	m.Up(false)
	if text := scrape(m); !slices.Contains(regexp.MustCompile(`\n`).Split(text, -1), "ctr_prune_containerd_up 0") || regexp.MustCompile(`runs_total\{`).MatchString(text) {
		t.Errorf("%s", text)
	}
}
