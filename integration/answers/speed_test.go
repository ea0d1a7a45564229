package answers_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/daemon"
	"github.com/ctr-prune/ctr-prune/integration/imagestore"
)

// BenchmarkAnswers times the commands that only look, with their peak memory,
// on a store in memory of 10,000 unpacked images and 43,000 blobs:
//
//	go test -run '^$' -bench Answers -benchtime 1x ./integration/answers
func BenchmarkAnswers(b *testing.B) {
	d := daemon.Start(b, daemon.Options{NoSync: true, Dir: "/dev/shm"})
	var names []string
	d.Offline(func(e *imagestore.Embedded) (err error) {
		names, err = e.Store("default").Bulk(b.Context(), imagestore.New(1), 10_000)
		return err
	})
	d.Restart(func(o *daemon.Options) { o.NoSync = false })
	for _, args := range [][]string{
		{"df"}, {"df", "-v"}, {"df", "--format", "json"}, {"df", "--html", b.TempDir() + "/df.html"},
		{"explain", "--all", names[5_000]}, {"leases"}, {"runs"}, {"plan", "--all"},
	} {
		b.Run(fmt.Sprint(args), func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(binary, append(args, "--address", d.Address())...)
				start := time.Now()
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %.2000s", err, out)
				}
				usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
				b.ReportMetric(time.Since(start).Seconds(), "s/run")
				b.ReportMetric(float64(usage.Maxrss)/1024, "MiB")
				b.Log(strconv.Itoa(len(names)), "images:", args, time.Since(start).Round(time.Millisecond), "user", time.Duration(usage.Utime.Nano()), usage.Maxrss/1024, "MiB")
			}
		})
	}
}
