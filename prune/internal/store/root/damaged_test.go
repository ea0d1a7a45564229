package root

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/store/root/boltcheck"
)

// Of several damaged databases, or missing folders, always the same is named.
func TestOpenRootNamesTheSameDamage(t *testing.T) {
	for name, want := range map[string]string{"metadata.db": "native/metadata.db is damaged", "snapshots": "native/snapshots"} {
		dir := rootTestMake(t, rootTestSmall)
		overlay := filepath.Join(dir, "io.containerd.snapshotter.v1.overlayfs")
		native := filepath.Join(dir, "io.containerd.snapshotter.v1.native")
		rootTestMust(0, os.MkdirAll(filepath.Join(overlay, "snapshots"), 0o700))
		rootTestMust(0, os.WriteFile(filepath.Join(overlay, "metadata.db"), rootTestMust(os.ReadFile(filepath.Join(native, "metadata.db"))), 0o600))
		for _, broken := range []string{native, overlay} {
			rootTestMust(0, os.RemoveAll(filepath.Join(broken, name)))
			if name == "metadata.db" {
				rootTestMust(0, os.WriteFile(filepath.Join(broken, name), bytes.Repeat([]byte("x"), 1<<15), 0o600))
			}
		}
		for range 30 {
			rootTestRefused(t, dir, errdefs.ErrFailedPrecondition, want)
		}
	}
}

// TestOpenRootDamaged damages databases at random. bolt panics in a goroutine
// of its own, and the kernel kills for a truncated map, so passing means that
// neither happened: the open was refused, or all of the file could be read.
func TestOpenRootDamaged(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	// More than one level of branches, and values on pages of their own.
	rootTestEdit(t, dir, func(tx *bolt.Tx) error {
		b := rootTestMust(tx.CreateBucket([]byte("other")))
		for i := range 800 {
			key := []byte(strings.Repeat("k", 20) + string(rune('a'+i%26)) + time.Duration(i).String())
			if err := b.Put(key, make([]byte, 100+i%7*900)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, path := range []string{rootTestMeta(dir), filepath.Join(dir, "io.containerd.snapshotter.v1.native", "metadata.db")} {
		sound := rootTestMust(os.ReadFile(path))
		if err := boltcheck.Check(bytes.NewReader(sound), int64(len(sound))); err != nil {
			t.Fatalf("a sound file is reported as damaged: %v", err)
		}
		refused := 0
		rapid.Check(t, func(rt *rapid.T) {
			data := rootTestDamage(rt, append([]byte(nil), sound...))
			if err := os.WriteFile(path, data, 0o600); err != nil {
				rt.Fatal(err)
			}
			s, err := OpenRoot(context.Background(), dir)
			if err != nil {
				refused++
				return
			}
			if err := s.Close(); err != nil {
				rt.Fatal(err)
			}
			rootTestReadAll(rt, path)
		})
		if refused == 0 {
			t.Errorf("no damage to %s was noticed", filepath.Base(path))
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// rootTestDamage cuts data off, or overwrites fields at the places where
// headers and elements lie; the checksummed meta pages would notice anyway.
func rootTestDamage(rt *rapid.T, data []byte) []byte {
	if rapid.IntRange(0, 9).Draw(rt, "cut") == 0 {
		return data[:rapid.IntRange(0, len(data)).Draw(rt, "length")]
	}
	for range rapid.IntRange(1, 4).Draw(rt, "writes") {
		page := rapid.IntRange(2, len(data)/4096-1).Draw(rt, "page")
		at := page*4096 + rapid.OneOf(rapid.IntRange(0, 15), rapid.IntRange(16, 80), rapid.IntRange(0, 4095)).Draw(rt, "offset")
		data[at] = rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 1, 2, 0x10, 0xff})).Draw(rt, "byte")
	}
	return data
}

// rootTestReadAll visits every key through bolt.
func rootTestReadAll(rt *rapid.T, path string) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		rt.Fatal(err)
	}
	defer db.Close()
	var visit func(b *bolt.Bucket) error
	visit = func(b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if sub := b.Bucket(k); sub != nil {
				return visit(sub)
			}
			_ = append([]byte(nil), v...)
			return nil
		})
	}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			if b == nil { // damaged into a plain value, as far as bolt cares
				return nil
			}
			return visit(b)
		})
	})
	if err != nil {
		rt.Fatal(err)
	}
}
