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
	var o options
	flag.Func("platform", "an architecture of the image, as `ARCH=FOLDER` with ctr-prune and ctr-prune.cdx.json (repeatable)", func(text string) error {
		arch, dir, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("write ARCH=FOLDER")
		}
		o.platforms = append(o.platforms, platform{arch: arch, dir: dir})
		return nil
	})
	flag.StringVar(&o.out, "out", "bin/image", "the `FOLDER` to write")
	flag.StringVar(&o.name, "name", "ctr-prune", "the `NAME` of the image, without a tag")
	flag.StringVar(&o.version, "version", "devel", "the `VERSION` that is its tag")
	flag.StringVar(&o.revision, "revision", "", "the `COMMIT` that it is built from")
	created := flag.Int64("created", 0, "the `SECONDS` since 1970 that count as the time of the build")
	load := flag.String("load", "", "import what was written before into the containerd at this `SOCKET`")
	namespace := flag.String("namespace", "k8s.io", "the `NAMESPACE` to import into")
	flag.Parse()
	o.created = time.Unix(*created, 0).UTC()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	do := func() error { return o.write() }
	if *load != "" {
		do = func() error { return importInto(ctx, o.out, *load, *namespace) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		stop()
		os.Exit(1)
	}
}
