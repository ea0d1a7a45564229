package parts

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// Usable returns the parts that tests of this user need: only root can run
// containers, an Engine or a browser in its sandbox.
func Usable() []Part {
	if os.Geteuid() == 0 {
		return All()
	}
	return []Part{Containerd24, Containerd17, Umoci, Skopeo, Registry, Promtool, Systemd}
}

// Provide makes sure of the parts one by one, writes what came of each, and
// returns the errors. It goes on after a failure, so that one missing part does
// not hide the state of the others.
func Provide(ctx context.Context, out io.Writer, wanted ...Part) (errs []error) {
	for _, part := range wanted {
		start := time.Now()
		paths, err := Ensure(ctx, part)
		if err != nil {
			errs = append(errs, err)
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintf(out, "%-32s %6s  %s\n", part, time.Since(start).Round(100*time.Millisecond), paths.Dir(part))
	}
	return errs
}
