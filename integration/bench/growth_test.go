package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bench/growth"
)

var grow = flag.String("grow", "", "measure also the time and memory of stores of these `NUMBERS` of images")

// quickSizes are those of a run that only counts. Each doubles the one before,
// so that tables which double when they are full are as full at each.
const quickSizes = "100,200,400,800"

// small is the largest size at which runs are counted several times.
const small = 1000

// sized is what one size costs.
type sized struct {
	images int
	counted
	dry, prune, floor []weight
}

// TestGrowth fails if anything that does not depend on how busy the machine is
// grows worse than linear: RPCs and memory allocated. With -grow it measures
// time and peak memory as well.
func TestGrowth(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	quick := *grow == ""
	list, p := *grow, programs{}
	if quick {
		list = quickSizes
	} else {
		p = build(t)
	}
	where := *dir
	if where == "" {
		where = daemon.InMemory()
	}
	d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: where, NoSync: quick})
	b := imagestore.New(9)
	before := 0
	var all []sized
	for _, n := range numbers(t, list) {
		d.Offline(func(e *imagestore.Embedded) error {
			_, err := e.Store("default").BulkMore(t.Context(), b, before, n)
			return err
		})
		if before == 0 {
			count(t, d, false) // what is made once in a process
		}
		before = n
		t.Run(fmt.Sprint(n), func(t *testing.T) { all = append(all, grown(t, p, d, n, quick)) })
	}
	if t.Failed() {
		return
	}
	text, worse := judge("images", all, growth.Limit)
	t.Logf("%s\n\n%s", machine.Describe(), text)
	for _, sentence := range worse {
		t.Error(sentence)
	}
	if *out != "" {
		if err := os.WriteFile(*out, []byte(machine.Describe()+"\n\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// grown measures the store as it is now.
func grown(t *testing.T, p programs, d *daemon.Daemon, images int, quick bool) sized {
	s := sized{images: images}
	again := 1
	if images <= small {
		again = times // a few buffers more or less are much of a small run
	}
	for i := range again {
		t.Run("count", func(t *testing.T) {
			d := copied(t, d)
			one := count(t, d, true)
			if i == 0 || one.execute.bytes < s.execute.bytes {
				s.counted = one
			}
			wantEmpty(t, d)
		})
	}
	if quick {
		return s
	}
	p.weigh(t, p.prune, "--address", d.Address(), "-a", "--dry-run") // the first one is colder than those that follow
	for range *rounds {
		s.dry = append(s.dry, p.weigh(t, p.prune, "--address", d.Address(), "-a", "--dry-run"))
		t.Run("prune", func(t *testing.T) {
			d := copied(t, d)
			s.prune = append(s.prune, p.weigh(t, p.prune, "--address", d.Address(), "-a", "-f"))
			wantEmpty(t, d)
		})
		t.Run("floor", func(t *testing.T) {
			d := copied(t, d)
			s.floor = append(s.floor, p.weigh(t, p.helper, "floor", d.Address()))
			wantEmpty(t, d)
		})
	}
	return s
}
