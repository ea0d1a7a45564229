package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	program := flag.String("program", "bin/ctr-prune", "the built `FILE`")
	version := flag.String("version", "", "the `VERSION` that the linker was told")
	as := flag.String("as", "cyclonedx", "what to print: cyclonedx or markdown")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *program, *version, *as); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, program, version, as string) error {
	write, ok := map[string]func(io.Writer, component, []component) error{
		"cyclonedx": writeCycloneDX, "markdown": writeMarkdown,
	}[as]
	if !ok {
		return fmt.Errorf("%q is neither cyclonedx nor markdown", as)
	}
	self, parts, err := read(ctx, program, version)
	if err != nil {
		return err
	}
	return write(w, self, parts)
}
