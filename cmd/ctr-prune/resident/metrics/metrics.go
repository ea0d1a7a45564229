// Package metrics counts what a resident does, for Prometheus. No image is named in
// a label, so that their number does not grow with the store.
package metrics

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Metrics are those of one resident.
type Metrics struct {
	registry *prometheus.Registry

	runs, records, reclaimed, predicted, clientErrors *prometheus.CounterVec
	lastRun, storeBytes, reclaimable, images          *prometheus.GaugeVec
	capacity, available, inodes                       *prometheus.GaugeVec
	watermark, pressure, unreached                    *prometheus.GaugeVec
	restored                                          prometheus.Counter
	duration, stall                                   prometheus.Histogram
	config, up, unwatched, kubelet                    prometheus.Gauge

	now     func() time.Time
	tracked atomic.Pointer[func() time.Time]
}

// New makes the metrics.
func New(version string, now func() time.Time) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), now: now}
	m.runs = m.counters("runs_total", "Runs, by what triggered them and how they ended.", "trigger", "result")
	m.duration = m.histogram("run_duration_seconds", "How long runs took, from reading the store to the report.", .1, .3, 1, 3, 10, 30, 100, 300, 1000, 3000)
	m.lastRun = m.gauges("last_run_timestamp_seconds", "When the last run of each result ended.", "result")
	m.records = m.counters("records_total", "Image records, by what runs did with them.", "namespace", "action")
	m.reclaimed = m.counters("reclaimed_bytes_total", "Bytes that runs freed, as measured afterwards.", "kind")
	m.predicted = m.counters("predicted_bytes_total", "Bytes that runs were planned to free.", "kind")
	m.restored = m.counter("restored_total", "Image records that runs restored, because something needed them by the end.")
	m.stall = m.histogram("collection_stall_seconds", "The longest garbage collection of each run that had one: nobody can create a container meanwhile.", .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
	m.storeBytes = m.gauges("store_bytes", "Bytes in the store at the last look, by the class of what holds them.", "kind", "holder")
	m.reclaimable = m.gauges("reclaimable_bytes", "Bytes that the policy would have freed at the last look.", "kind")
	m.images = m.gauges("images", "Image records of the pruned namespaces at the last look, by what the policy would have done with them.", "namespace", "state")
	m.capacity = m.gauges("filesystem_capacity_bytes", "The size of a file system of the store.", "fs")
	m.available = m.gauges("filesystem_available_bytes", "What of it users may still fill.", "fs")
	m.inodes = m.gauges("filesystem_inodes", "Inodes of a file system of the store, used and free.", "fs", "state")
	m.watermark = m.gauges("watermark_ratio", "The marks of the policy, as parts of the file system.", "fs", "mark")
	m.pressure = m.gauges("pressure", "1 while a file system is too full: above its high mark, until it is below the low one.", "fs")
	m.unreached = m.gauges("target_unreached", "1 if the last run under pressure could not free what it should have.", "fs")
	m.config = m.gauge("config_last_reload_successful", "1 if the configuration in use is the one in the file, 0 if that has errors.")
	m.up = m.gauge("containerd_up", "1 while containerd answers.")
	m.unwatched = m.gauge("use_failing", "1 while something of watching when images are used fails: looking, or keeping what is known.")
	m.kubelet = m.gauge("kubelet_conflicts", "In how many ways the kubelet of the node acts before the policy does.")
	m.clientErrors = m.counters("client_errors_total", "Errors of those who were asked which images they use, or of the cluster; for those that use images nothing was removed from their namespaces.", "client")
	m.gauges("build_info", "1, with the version of this program.", "version").WithLabelValues(version).Set(1)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name("use_tracking_seconds"), Help: "For how long use of images has been watched without a gap; 0 if it is not."}, m.tracking))
	return m
}

// Tracking sets who knows since when use is watched; zero if it is not.
func (m *Metrics) Tracking(since func() time.Time) { m.tracked.Store(&since) }

func (m *Metrics) tracking() float64 {
	since := m.tracked.Load()
	if since == nil || (*since)().IsZero() {
		return 0
	}
	return m.now().Sub((*since)()).Seconds()
}

func name(of string) string { return "ctr_prune_" + of }

func (m *Metrics) counters(of, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name(of), Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauges(of, help string, labels ...string) *prometheus.GaugeVec {
	c := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name(of), Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counter(of, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name(of), Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(of, help string) prometheus.Gauge {
	c := prometheus.NewGauge(prometheus.GaugeOpts{Name: name(of), Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(of, help string, buckets ...float64) prometheus.Histogram {
	c := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name(of), Help: help, Buckets: buckets})
	m.registry.MustRegister(c)
	return c
}

// Handler writes them in the format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Ran counts a run.
func (m *Metrics) Ran(trigger, result string, started, ended time.Time) {
	m.runs.WithLabelValues(trigger, result).Inc()
	m.duration.Observe(ended.Sub(started).Seconds())
	m.lastRun.WithLabelValues(result).Set(seconds(ended))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Removed counts what a run did, by its report.
func (m *Metrics) Removed(doc prune.Document) {
	for _, r := range doc.Untagged {
		m.records.WithLabelValues(r.Namespace, "removed").Inc()
	}
	for _, s := range doc.Skipped {
		m.records.WithLabelValues(s.Namespace, "skipped").Inc()
	}
	for _, r := range doc.Restored {
		m.records.WithLabelValues(r.Namespace, "restored").Inc()
	}
	m.restored.Add(float64(len(doc.Restored)))
	both(m.reclaimed, doc.Reclaimed)
	if doc.Grace == nil { // what is kept for a while is not expected either
		both(m.predicted, doc.Predicted)
	}
	if doc.Stall > 0 {
		m.stall.Observe(doc.Stall)
	}
}

func both(c *prometheus.CounterVec, a prune.Amount) {
	c.WithLabelValues(content).Add(float64(a.ContentBytes))
	c.WithLabelValues(snapshots).Add(float64(a.SnapshotBytes))
}

// The kinds of bytes.
const content, snapshots = "content", "snapshots"

// Looked sets what a look at the store has found, and what the policy would do.
func (m *Metrics) Looked(usage *prune.DiskUsage, plan *prune.Plan) {
	m.storeBytes.Reset()
	for _, h := range usage.Holders {
		m.storeBytes.WithLabelValues(content, string(h.Class)).Set(float64(h.ContentBytes))
		m.storeBytes.WithLabelValues(snapshots, string(h.Class)).Set(float64(h.SnapshotBytes))
	}
	m.reclaimable.WithLabelValues(content).Set(float64(usage.Reclaimable.ContentBytes))
	m.reclaimable.WithLabelValues(snapshots).Set(float64(usage.Reclaimable.SnapshotBytes))
	m.images.Reset()
	for _, d := range plan.Decisions {
		m.images.WithLabelValues(d.Record().Namespace, string(d.Action)).Inc()
	}
}

// Up says whether containerd answers.
func (m *Metrics) Up(up bool) { m.up.Set(number(up)) }

// Watching says whether all of watching when images are used goes well.
func (m *Metrics) Watching(well bool) { m.unwatched.Set(number(!well)) }

// Configured says whether the last reading of the configuration went well.
func (m *Metrics) Configured(well bool) { m.config.Set(number(well)) }

// KubeletConflicts says in how many ways the kubelet acts before the policy.
func (m *Metrics) KubeletConflicts(n int) { m.kubelet.Set(float64(n)) }

// ClientFailed counts an error of a client.
func (m *Metrics) ClientFailed(client string) { m.clientErrors.WithLabelValues(client).Inc() }

// Clients makes the counters of clients appear before their first error.
func (m *Metrics) Clients(clients ...string) {
	for _, c := range clients {
		m.clientErrors.WithLabelValues(c)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
