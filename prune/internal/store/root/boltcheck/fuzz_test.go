package boltcheck

import (
	"encoding/binary"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// fuzzPage is the size of a page in the files below: the smallest.
const fuzzPage = 1024

// boltFile puts two meta pages before the given ones, of which the first is the
// root, and writes each page's number into it.
func boltFile(pages []byte) []byte {
	pages = append(pages, make([]byte, (fuzzPage-len(pages)%fuzzPage)%fuzzPage)...)
	high := 2 + len(pages)/fuzzPage
	file := make([]byte, 2*fuzzPage, high*fuzzPage)
	for id := range 2 {
		page := file[id*fuzzPage:]
		binary.NativeEndian.PutUint64(page, uint64(id))
		binary.NativeEndian.PutUint16(page[8:], 4) // a meta page
		m := page[header:]
		binary.NativeEndian.PutUint32(m, magic)
		binary.NativeEndian.PutUint32(m[4:], version)
		binary.NativeEndian.PutUint32(m[8:], fuzzPage)
		binary.NativeEndian.PutUint64(m[16:], 2)
		binary.NativeEndian.PutUint64(m[32:], noFreelist)
		binary.NativeEndian.PutUint64(m[40:], uint64(high))
		binary.NativeEndian.PutUint64(m[48:], uint64(id))
		sum := fnv.New64a()
		must(sum.Write(m[:metaSum]))
		binary.NativeEndian.PutUint64(m[metaSum:], sum.Sum64())
	}
	file = append(file, pages...)
	for id := 2; id < high; id++ {
		binary.NativeEndian.PutUint64(file[id*fuzzPage:], uint64(id))
	}
	return file
}

// A database that is not damaged can be opened and read to its end: bolt itself
// panics, reads outside of its memory or runs in a circle on one that is.
func FuzzBoltPages(f *testing.F) {
	f.Fuzz(func(t *testing.T, pages []byte) {
		if len(pages) == 0 || len(pages) > 64*fuzzPage {
			return
		}
		path := filepath.Join(t.TempDir(), "meta.db")
		if err := os.WriteFile(path, boltFile(pages), 0o600); err != nil {
			t.Fatal(err)
		}
		if !sound(t, path) {
			return
		}
		db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true, NoSync: true, Timeout: time.Second})
		if err != nil {
			return // refused in good order
		}
		// What is read does not matter, only that it can be.
		_ = db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return readAll(b, 0) })
		})
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

func sound(t *testing.T, path string) bool {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return Check(file, info.Size()) == nil
}

func readAll(b *bolt.Bucket, depth int) error {
	if b == nil {
		return nil // a value where a bucket should be
	}
	return b.ForEach(func(k, v []byte) error {
		if v == nil && depth < 100 {
			if inner := b.Bucket(k); inner != nil {
				return readAll(inner, depth+1)
			}
		}
		return nil
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
