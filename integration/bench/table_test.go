package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// result is what a run of the benchmark found.
type result struct {
	machine string
	timed   []timing
	weighed []weighing
}

// markdown shows the medians of everything.
func (r *result) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.machine)
	for _, c := range []struct {
		name string
		runs func(timing) []weight
	}{
		{"`ctr-prune -a -f`", func(t timing) []weight { return t.prune }},
		{"`ctr-prune -a -f --max-stall 0`", func(t timing) []weight { return t.atOnce }},
		{"`ctr-prune --root … -a -f`, daemon stopped", func(t timing) []weight { return t.rooted }},
	} {
		r.compare(&b, c.name, c.runs)
	}
	b.WriteString("| images | read | plan | both | `--dry-run`, whole process | its own CPU | peak memory |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, t := range r.timed {
		both := make([]time.Duration, len(t.read))
		for i := range both {
			both[i] = t.read[i] + t.plan[i]
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", t.images, millis(median(t.read)), millis(median(t.plan)),
			millis(median(both)), millis(median(walls(t.dry))),
			millis(median(cpus(t.dry))), mib(peak(t.dry)))
	}
	for _, w := range r.weighed {
		b.WriteString("\n| images | blobs | | time | own CPU | peak memory |\n|---:|---:|---|---:|---:|---:|\n")
		for _, row := range []struct {
			name string
			w    weight
		}{
			{"`--root … -a --dry-run`, daemon stopped", w.cut},
			{"`-a --dry-run`", w.dry},
			{"`-a -f`", w.prune},
		} {
			fmt.Fprintf(&b, "| %d | %d | %s | %s | %s | %s |\n", w.images, blobs(w.images), row.name, seconds(row.w.Wall), seconds(row.w.CPU), mib(row.w.RSS))
		}
	}
	return b.String()
}

// compare shows runs beside those of the floor.
func (r *result) compare(b *strings.Builder, name string, runs func(timing) []weight) {
	fmt.Fprintf(b, "| images | rounds | %s | floor | ratio | ratios seen | per image | own CPU | peak memory |\n", name)
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, t := range r.timed {
		ratios := ratios(runs(t), t.floor)
		ours := median(walls(runs(t)))
		fmt.Fprintf(b, "| %d | %d | %s | %s | %.2f | %.2f–%.2f | %s | %s | %s |\n",
			t.images, len(ratios), seconds(ours), seconds(median(walls(t.floor))), median(ratios),
			slices.Min(ratios), slices.Max(ratios), millis(ours/time.Duration(t.images)),
			seconds(median(cpus(runs(t)))), mib(peak(runs(t))))
	}
	b.WriteString("\n")
}

// ratios compares two runs of each round.
func ratios(ours, floor []weight) (all []float64) {
	for i := range min(len(ours), len(floor)) {
		all = append(all, float64(ours[i].Wall)/float64(floor[i].Wall))
	}
	return all
}

// blobs is how many blobs images of [imagestore.Store.Bulk] have: three layers
// for every ten of them, two of each one's own, a config and a manifest.
func blobs(images int) int { return (images+9)/10*3 + 4*images }

func walls(all []weight) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, w := range all {
		out[i] = w.Wall
	}
	return out
}

func cpus(all []weight) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, w := range all {
		out[i] = w.CPU
	}
	return out
}

func peak(all []weight) (most int64) {
	for _, w := range all {
		most = max(most, w.RSS)
	}
	return most
}

func median[T time.Duration | float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
func millis(d time.Duration) string  { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
func mib(bytes int64) string         { return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)) }
