package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

func main() {
	list := flag.Bool("list", false, "list all parts and leave")
	flag.Parse()
	if *list {
		for _, p := range parts.All() {
			fmt.Println(p)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !install(ctx, wanted(flag.Args())) {
		stop()
		os.Exit(1)
	}
}

func wanted(args []string) []parts.Part {
	if len(args) == 0 {
		return []parts.Part{parts.Containerd24, parts.Containerd17, parts.Umoci, parts.Skopeo}
	}
	out := make([]parts.Part, len(args))
	for i, a := range args {
		out[i] = parts.Part(a)
	}
	return out
}

// install goes on after a failure, so that one missing part does not hide the
// state of the others.
func install(ctx context.Context, want []parts.Part) (ok bool) {
	ok = true
	for _, part := range want {
		start := time.Now()
		fmt.Fprintf(os.Stderr, "%s …\n", part)
		paths, err := parts.Ensure(ctx, part)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			ok = false
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ready after %s\n", part, time.Since(start).Round(time.Millisecond))
		fmt.Println(paths.Dir(part))
	}
	return ok
}
