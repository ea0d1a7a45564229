package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bench/growth"
)

// quantity is something that is measured at each size.
type quantity struct {
	name string
	of   func(sized) float64
	show func(float64) string
	// beside, if not nil, is the same of the floor, whose growth is
	// containerd's own: it is not counted against ctr-prune.
	beside func(sized) float64
	// only shown, not judged: CPU time depends on how much of the tables of a
	// large store the processor's caches hold, although as many steps are done
	// for each image. What users wait for is judged.
	only bool
}

var quantities = []quantity{
	{name: "planning: RPCs", of: func(s sized) float64 { return float64(s.plan.calls) }, show: number},
	{name: "planning: allocations", of: func(s sized) float64 { return float64(s.plan.allocs) }, show: number},
	{name: "planning: memory allocated", of: func(s sized) float64 { return float64(s.plan.bytes) }, show: bytes},
	{name: "`Plan` alone: allocations", of: func(s sized) float64 { return float64(s.pure.allocs) }, show: number},
	{name: "`Plan` alone: memory allocated", of: func(s sized) float64 { return float64(s.pure.bytes) }, show: bytes},
	{name: "executing: RPCs", of: func(s sized) float64 { return float64(s.execute.calls) }, show: number},
	{name: "executing: allocations", of: func(s sized) float64 { return float64(s.execute.allocs) }, show: number},
	// Of executing alone it would grow in steps of a few per cent, those of the
	// sizes of gRPC's buffers.
	{name: "both: memory allocated", of: func(s sized) float64 { return float64(s.plan.bytes + s.execute.bytes) }, show: bytes},
	{name: "`-a --dry-run`: time", of: func(s sized) float64 { return float64(least(walls(s.dry))) }, show: duration},
	{name: "`-a --dry-run`: own CPU", of: func(s sized) float64 { return float64(least(cpus(s.dry))) }, show: duration, only: true},
	{name: "`-a --dry-run`: peak memory", of: func(s sized) float64 { return float64(peak(s.dry)) }, show: bytes},
	{name: "`-a -f`: time", of: func(s sized) float64 { return float64(least(walls(s.prune))) }, show: duration,
		beside: func(s sized) float64 { return float64(least(walls(s.floor))) }},
	{name: "`-a -f`: own CPU", of: func(s sized) float64 { return float64(least(cpus(s.prune))) }, show: duration, only: true},
	{name: "`-a -f`: peak memory", of: func(s sized) float64 { return float64(peak(s.prune)) }, show: bytes},
	{name: "floor: time", of: func(s sized) float64 { return float64(least(walls(s.floor))) }, show: duration, only: true},
}

// judge makes the table of what so many of something cost, and a sentence for each
// quantity that grows worse than linear by more than is allowed.
func judge(what string, all []sized, allowed float64) (table string, worse []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", what)
	for _, s := range all {
		fmt.Fprintf(&b, " %d |", s.images)
	}
	fmt.Fprintf(&b, " each | exponent | over linear |\n|---|%s---:|---:|---:|\n", strings.Repeat("---:|", len(all)))
	for _, q := range quantities {
		fit, measured, err := q.fit(all, q.of)
		if !measured {
			continue
		}
		if err != nil {
			worse = append(worse, fmt.Sprintf("%s: %v", q.name, err))
			continue
		}
		fmt.Fprintf(&b, "| %s |", q.name)
		for _, s := range all {
			fmt.Fprintf(&b, " %s |", q.show(q.of(s)))
		}
		fmt.Fprintf(&b, " %s | %.2f | %+.0f %% |\n", q.show(fit.Each), fit.Exponent, 100*fit.Excess)
		limit := allowed
		if q.beside != nil {
			if floor, ok, err := q.fit(all, q.beside); ok && err == nil {
				limit += max(0, floor.Excess)
			}
		}
		if !q.only && fit.Excess > limit {
			worse = append(worse, fmt.Sprintf("%s grows worse than linear: %d %s cost %.0f %% more than the smaller sizes foretell, at most %.0f %% are allowed",
				q.name, all[len(all)-1].images, what, 100*fit.Excess, 100*limit))
		}
	}
	return b.String(), worse
}

func (q quantity) fit(all []sized, of func(sized) float64) (fit growth.Fit, measured bool, err error) {
	var points []growth.Point
	for _, s := range all {
		points = append(points, growth.Point{Size: s.images, Cost: of(s)})
		measured = measured || of(s) > 0
	}
	if measured {
		fit, err = growth.Of(points...)
	}
	return fit, measured, err
}

// least is what the run took that was disturbed least.
func least(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return slices.Min(all)
}

func number(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func duration(v float64) string {
	if v < 1e9 {
		return fmt.Sprintf("%.3g ms", v/1e6)
	}
	return fmt.Sprintf("%.2f s", v/1e9)
}

func bytes(v float64) string {
	if v < 1<<20 {
		return fmt.Sprintf("%.1f KiB", v/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", v/(1<<20))
}
