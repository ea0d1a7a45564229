package imagestore_test

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

func TestBulkSharesLayers(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	const n = 30
	b := imagestore.New(1)
	names, err := d.Store("default").Bulk(t.Context(), b, 10)
	must(t, err)
	more, err := d.Store("default").BulkMore(t.Context(), b, 10, n)
	must(t, err)
	names = append(names, more...)
	now := d.Capture().Namespaces["default"]
	// Three layers for each ten images, two of each image's own; and a config
	// and a manifest each.
	const layers = 3*n/10 + 2*n
	if len(names) != n || len(now.Images) != n || len(now.Snapshots) != layers || len(now.Content) != layers+2*n {
		t.Errorf("%d names, %d records, %d snapshots, %d blobs; want %d, %d, %d, %d",
			len(names), len(now.Images), len(now.Snapshots), len(now.Content), n, n, layers, layers+2*n)
	}
}

// BenchmarkBulk is the time to fill one image, by each of the ways there are.
func BenchmarkBulk(b *testing.B) {
	fill := func(b *testing.B, s imagestore.Store) {
		b.ResetTimer()
		if _, err := s.Bulk(b.Context(), imagestore.New(1), b.N); err != nil {
			b.Fatal(err)
		}
	}
	for _, dir := range []string{"", "/dev/shm"} {
		if _, err := os.Stat(dir); dir != "" && err != nil {
			continue
		}
		b.Run("daemon"+dir, func(b *testing.B) {
			fill(b, daemon.Start(b, daemon.Options{Dir: dir, NoSync: true}).Store("default"))
		})
		b.Run("offline"+dir, func(b *testing.B) {
			d := daemon.Start(b, daemon.Options{Dir: dir})
			d.Offline(func(e *imagestore.Embedded) error {
				fill(b, e.Store("default"))
				b.StopTimer()
				return nil
			})
		})
	}
}
