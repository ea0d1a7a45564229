package peers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

type blob = imagestore.Blob

// result is what the runs of one program in one namespace did.
type result struct {
	namespace, program string
	ours               bool
	runs               []run
	collections        int
}

// claimed, freed and lost are the same in each run, or nearly so.
func (r result) claimed() int64 { return r.runs[0].claimed }
func (r result) freed() int64   { return r.runs[0].freed }
func (r result) lost() int      { return len(r.runs[0].lost) }

func (r result) times() []time.Duration {
	var all []time.Duration
	for _, one := range r.runs {
		all = append(all, one.took)
	}
	slices.Sort(all)
	return all
}

func markdown(where string, all []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d images, %d rounds. %s\n\n", *size, *rounds, where)
	b.WriteString("| namespace | program | time | seen | collections | says it reclaimed | really freed | images in use lost |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---:|---|\n")
	for _, r := range all {
		times := r.times()
		if len(times) == 0 {
			continue
		}
		middle := (times[(len(times)-1)/2] + times[len(times)/2]) / 2
		fmt.Fprintf(&b, "| `%s` | %s | %.2f s | %.2f–%.2f s | %d | %s | %s | %s |\n", r.namespace, r.program, middle.Seconds(),
			times[0].Seconds(), times[len(times)-1].Seconds(), r.collections, mb(r.claimed()), mb(r.freed()), lost(r.runs[0].lost))
	}
	return b.String()
}

func mb(bytes int64) string {
	if bytes == silent {
		return "says nothing"
	}
	return fmt.Sprintf("%.3f MB", float64(bytes)/1e6)
}

// lost says how many, and how they are used.
func lost(how []string) string {
	if len(how) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %s", len(how), strings.Join(slices.Compact(slices.Sorted(slices.Values(how))), "; "))
}
