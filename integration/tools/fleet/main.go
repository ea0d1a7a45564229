package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// sizes are the numbers of nodes.
var sizes = []int{1, 100, 1000, 10000}

func main() { write(os.Stdout) }

// write writes all tables.
func write(w io.Writer) {
	for _, t := range []struct {
		name  string
		write func(io.Writer)
	}{{"lists", lists}, {"moments", moments}, {"log", logs}, {"traffic", traffic}, {"mistake", mistake}} {
		fmt.Fprintf(w, "<!-- %s: make simulate-fleet -->\n", t.name)
		t.write(w)
		fmt.Fprintln(w)
	}
}

// What serve does on each node, and what a cluster is like.
const (
	every  = 6 * time.Hour
	jitter = 30 * time.Minute

	// The pods are listed every five minutes to watch use, once an hour to read the whole
	// store, and up to five times for a run that removes something.
	podsEvery  = 5 * time.Minute
	listsOfRun = 5
	podsOfNode = 30
	bytesOfPod = 5000 // of JSON, with its status
)

// lists is the load of the API server.
func lists(w io.Writer) {
	fmt.Fprintln(w, "| nodes | lists an hour | a second | answers, MB/s |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|")
	anHour := func(d time.Duration) float64 { return float64(time.Hour) / float64(d) }
	for _, n := range sizes {
		hour := float64(n) * (anHour(podsEvery) + 1 + listsOfRun*anHour(every))
		fmt.Fprintf(w, "| %d | %.0f | %.1f | %.2f |\n", n, hour, hour/3600, hour/3600*podsOfNode*bytesOfPod/1e6)
	}
}
