package answers_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// BenchmarkAnswers times the commands that only look, with their peak memory,
// on a store in memory of 10,000 unpacked images and 43,000 blobs:
//
//	go test -run '^$' -bench Answers -benchtime 1x ./integration/command/answers
func BenchmarkAnswers(b *testing.B) {
	d := daemon.Start(b, daemon.Options{NoSync: true, Dir: "/dev/shm"})
	var names []string
	d.Offline(func(e *imagestore.Embedded) (err error) {
		names, err = e.Store("default").Bulk(b.Context(), imagestore.New(1), 10_000)
		return err
	})
	d.Restart(func(o *daemon.Options) { o.NoSync = false })
	html := filepath.Join(b.TempDir(), "df.html")
	for _, args := range [][]string{
		{"df"}, {"df", "-v"}, {"df", "--format", "json"}, {"df", "--html", html},
		{"explain", "--all", names[5_000]}, {"leases"}, {"runs"}, {"plan", "--all"},
		{"__complete", "explain", ""}, {"__complete", "explain", "bulk.example/app-050"}, {"__complete", "--namespace", ""},
	} {
		b.Run(fmt.Sprint(args), func(b *testing.B) {
			last := len(args)
			if args[0] == "__complete" {
				last-- // what is completed comes last
				if args[1][0] == '-' {
					last--
				}
			}
			all := slices.Concat(args[:last], []string{"--address", d.Address()}, args[last:])
			for b.Loop() {
				start := time.Now()
				peak, cpu := timed(b, all)
				b.ReportMetric(time.Since(start).Seconds(), "s/run")
				b.ReportMetric(cpu, "cpu-s/run")
				b.ReportMetric(peak, "MiB")
				if page, err := os.Stat(html); err == nil && slices.Contains(args, html) {
					b.ReportMetric(float64(page.Size())/1e6, "page-MB")
				}
			}
		})
	}
}

// timed runs the command under time(1) and returns its peak memory in MiB and
// its processor time. What the kernel tells of a child itself begins with the
// memory of the process that started it.
func timed(b *testing.B, args []string) (peak, cpu float64) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "time")
	cmd := exec.Command("/usr/bin/time", append([]string{"-f", "%M %U %S", "-o", file, binary}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %.2000s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var kib, user, system float64
	if _, err := fmt.Sscan(string(text), &kib, &user, &system); err != nil {
		b.Fatal(err)
	}
	return kib / 1024, user + system
}
