package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/schedule"
)

// changed is when a policy changes in the examples.
var changed = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

// begins are the moments at which the nodes begin their next run, in order.
func begins(nodes int, jitter time.Duration, from time.Time) (all []time.Time) {
	for i := range nodes {
		s := schedule.Schedule{Every: every, Jitter: jitter, Offset: schedule.Offset(fmt.Sprintf("ip-10-%d-%d-%d.example.internal", i>>16, i>>8&255, i&255), jitter)}
		all = append(all, s.Next(from, from))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// busiest is how many are in one span of time at most.
func busiest(all []time.Time, span time.Duration) (most int) {
	first := 0
	for last := range all {
		for all[last].Sub(all[first]) >= span {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// moments is how many runs begin at once.
func moments(w io.Writer) {
	fmt.Fprintln(w, "| nodes | in the busiest second, jitter 0 | jitter 10m | jitter 30m | jitter 2h |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|")
	for _, n := range sizes {
		fmt.Fprintf(w, "| %d |", n)
		for _, j := range []time.Duration{0, 10 * time.Minute, jitter, 2 * time.Hour} {
			fmt.Fprintf(w, " %d |", busiest(begins(n, j, changed), time.Second))
		}
		fmt.Fprintln(w)
	}
}

// mistake is how far a bad policy gets.
func mistake(w io.Writer) {
	const nodes = 10000
	all := begins(nodes, jitter, changed)
	fmt.Fprintf(w, "| after the change | nodes that have run it, changed at %s | changed a minute before a run is due |\n", changed.Format("15:04"))
	fmt.Fprintln(w, "|---|---:|---:|")
	worst := changed.Truncate(every).Add(every - time.Minute)
	unlucky := begins(nodes, jitter, worst)
	for _, after := range []time.Duration{5 * time.Minute, 15 * time.Minute, 31 * time.Minute, time.Hour, 3 * time.Hour, every} {
		fmt.Fprintf(w, "| %s | %.0f %% | %.0f %% |\n", after, part(all, changed.Add(after)), part(unlucky, worst.Add(after)))
	}
}

// part is which part is before a moment, in percent.
func part(all []time.Time, until time.Time) float64 {
	count := 0
	for _, t := range all {
		if t.Before(until) {
			count++
		}
	}
	return 100 * float64(count) / float64(len(all))
}

// counter counts bytes.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// logs is what the log takes: a line for each image record that goes, three records an
// image in Kubernetes, and one for each run.
func logs(w io.Writer) {
	var image, run counter
	at := func(c *counter) *slog.Logger { return slog.New(slog.NewJSONHandler(c, nil)) }
	at(&image).Info("removed an image", "run", "20261102T093000-abcdef", "namespace", "k8s.io", "image", "ghcr.io/acme/shop/api@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
		"target", "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", "rule", "everything else", "reason", `unused, and not kept by rule "everything else"`,
		"lastUse", "2026-10-24T09:30:00Z", "usedBy", "container api-7d9c", "bytes", 123456789)
	at(&run).Info("a run ended", "run", "20261102T093000-abcdef", "trigger", "schedule", "result", "nothing", "duration", "250ms", "removed", 0, "freed", 0)
	fmt.Fprintln(w, "| nodes | MB a day, 10 images a node | MB a day, 100 images a node |")
	fmt.Fprintln(w, "|---:|---:|---:|")
	runs := float64(24*time.Hour) / float64(every)
	for _, n := range sizes {
		fmt.Fprintf(w, "| %d |", n)
		for _, images := range []float64{10, 100} {
			// The seconds in a line have up to nine digits more.
			fmt.Fprintf(w, " %.1f |", float64(n)*(images*3*rounded(image)+runs*rounded(run))/1e6)
		}
		fmt.Fprintln(w)
	}
}

// rounded is the length of a line without what differs by the time that it is written.
func rounded(c counter) float64 { return float64((int(c) + 25) / 50 * 50) }
