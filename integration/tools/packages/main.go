package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	o := options{root: "."}
	flag.Func("platform", "an architecture, as `ARCH=FOLDER` with ctr-prune and ctr-prune.cdx.json (repeatable)", func(text string) error {
		arch, dir, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("write ARCH=FOLDER")
		}
		o.platforms = append(o.platforms, platform{arch: arch, dir: dir})
		return nil
	})
	flag.StringVar(&o.program, "program", "bin/ctr-prune", "a `PROGRAM` that runs here, to ask for the completion of shells")
	flag.StringVar(&o.out, "out", "bin/packages", "the `FOLDER` to write")
	flag.StringVar(&o.version, "version", "devel", "the `VERSION`, as git describe has it")
	flag.StringVar(&o.key, "sign", "", "sign the checksums with this private `KEY` of ssh")
	created := flag.Int64("created", 0, "the `SECONDS` since 1970 that count as the time of the build")
	flag.Parse()
	o.created = time.Unix(*created, 0).UTC()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.write(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		stop()
		os.Exit(1)
	}
	if o.key == "" {
		fmt.Println("the checksums are not signed: give a key with SIGN_KEY=FILE, such as one that ssh-keygen -t ed25519 makes")
	}
}
