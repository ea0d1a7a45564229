package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

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
	wanted := parts.Usable()
	if flag.NArg() > 0 {
		wanted = nil
	}
	for _, arg := range flag.Args() {
		wanted = append(wanted, parts.Part(arg))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if errs := parts.Provide(ctx, os.Stdout, wanted...); len(errs) > 0 {
		stop()
		os.Exit(1)
	}
}
