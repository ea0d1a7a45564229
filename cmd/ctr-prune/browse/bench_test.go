package browse_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/browse"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// manyImages is how many the goals are about: the first screen in two seconds, each key
// in 50 ms.
const manyImages = 10_000

// large opens a store of many images.
func large(b *testing.B) prune.Store {
	b.Helper()
	root := filepath.Join(b.TempDir(), "root")
	if err := imagestore.Many(context.Background(), root, "default", 0, manyImages); err != nil {
		b.Fatal(err)
	}
	store, err := prune.OpenRoot(context.Background(), root, prune.WithReadOnly())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return store
}

// shown reads a store and shows the first screen.
func shown(b *testing.B, store prune.Store) *browse.Model {
	b.Helper()
	survey, err := prune.ReadSurvey(context.Background(), store, prune.Policy{AllNamespaces: true}, time.Now(), prune.ReadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	m := browse.New(browse.Look{Title: "many"}, noon)
	m.Width, m.Height = 160, 50
	m.Loaded(survey, survey.Usage)
	m.View(noon)
	return m
}

// BenchmarkFirstScreen tells how long it takes until the first screen, and how much CPU
// time, which says more on a machine that does other things.
func BenchmarkFirstScreen(b *testing.B) {
	store := large(b)
	before := cpu(b)
	for b.Loop() {
		shown(b, store)
	}
	b.ReportMetric(float64((cpu(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}

// keys mark one image and all of them, go everywhere, sort and search.
var keys = []string{
	"right", "right", "down", "right", "right", "space", "down", "space", "pgdown", "s", "s", "end", "space", "S", "home", "space",
	"down", "space", "c", "/", "9", "9", "9", "enter", "n", "N", "space", "home", "left", "space", "right", "enter", "space", "s", "home", "left",
}

// BenchmarkKeys tells what the slowest of many keys takes, with the screen after it.
func BenchmarkKeys(b *testing.B) {
	m := shown(b, large(b))
	var worst, most time.Duration
	for b.Loop() {
		for _, key := range keys {
			start, used := time.Now(), cpu(b)
			m.Key(key)
			m.View(noon)
			worst, most = max(worst, time.Since(start)), max(most, cpu(b)-used)
		}
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms/slowest-key")
	b.ReportMetric(float64(most.Microseconds())/1000, "cpu-ms/slowest-key")
}

// cpu is the CPU time of this process.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
