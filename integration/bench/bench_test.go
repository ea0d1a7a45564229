package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

var (
	sizes  = flag.String("sizes", "20", "time stores of these `NUMBERS` of images")
	memory = flag.Int("memory", 0, "weigh a store of this `NUMBER` of images as well")
	rounds = flag.Int("rounds", 1, "how `OFTEN` both programs are run at each size")
	out    = flag.String("out", "", "write the tables to this `FILE`")
	dir    = flag.String("dir", "", "make the daemons in this `FOLDER`")
)

// programs are the two that are compared.
type programs struct{ prune, helper string }

func TestBench(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	p := build(t)
	r := &result{machine: machine.Describe()}
	for _, n := range numbers(t, *sizes) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r.timed = append(r.timed, measure(t, p, n, *rounds))
		})
	}
	if *memory > 0 {
		t.Run(fmt.Sprintf("memory/%d", *memory), func(t *testing.T) {
			r.weighed = append(r.weighed, weighStore(t, p, *memory))
		})
	}
	text := r.markdown()
	t.Logf("\n%s", text)
	if *out == "" || t.Failed() {
		return
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// build makes both programs the way `make build` does.
func build(t *testing.T) programs {
	t.Helper()
	dir := t.TempDir()
	p := programs{prune: filepath.Join(dir, "ctr-prune"), helper: filepath.Join(dir, "helper")}
	for path, pkg := range map[string]string{p.prune: "../../cmd/ctr-prune", p.helper: "./helper"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", pkg, err, text)
		}
	}
	return p
}

func numbers(t *testing.T, list string) (all []int) {
	t.Helper()
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			t.Fatalf("-sizes %q: %q is no number of images", list, text)
		}
		all = append(all, n)
	}
	return all
}

// template fills the store of a stopped daemon, from which the measured ones
// are copied.
func template(t *testing.T, images int) *daemon.Daemon {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: *dir})
	d.Stop()
	d.Offline(func(e *imagestore.Embedded) error {
		_, err := e.Store("default").Bulk(t.Context(), imagestore.New(uint64(images)), images)
		return err
	})
	return d
}
