package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

func main() {
	list := flag.Bool("list", false, "list all parts and leave")
	cluster := flag.Bool("cluster", false, "provide the parts of make test-cluster")
	chart := flag.Bool("chart", false, "provide the parts of make test-chart")
	missing := flag.Bool("missing", false, "list what would have to be built and leave")
	within := flag.Duration("within", 2*time.Hour, "give up what is not there after this `TIME`")
	flag.Parse()
	wanted := chosen(*cluster, *chart, flag.Args())
	var err error
	switch {
	case *list:
		show(slices.Concat(parts.All(), parts.Cluster(), parts.Chart(), parts.Packages()))
	case *missing:
		wanted, err = parts.Missing(wanted...)
		show(wanted)
	default:
		err = provide(*within, wanted)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// chosen returns the parts that are named, or those of a target of make.
func chosen(cluster, chart bool, names []string) (wanted []parts.Part) {
	switch {
	case len(names) > 0:
	case cluster:
		return parts.Cluster()
	case chart:
		return parts.Chart()
	default:
		return parts.Usable()
	}
	for _, name := range names {
		wanted = append(wanted, parts.Part(name))
	}
	return wanted
}

func show(list []parts.Part) {
	for _, p := range list {
		fmt.Println(p)
	}
}

func provide(within time.Duration, wanted []parts.Part) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if errs := parts.Provide(ctx, os.Stdout, wanted...); len(errs) > 0 {
		return fmt.Errorf("not there: %d of %d parts, see above", len(errs), len(wanted))
	}
	return nil
}
