package boltcheck

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

// A database that only bolt has written is never refused, however it grew and
// shrank: that would lock people out of a healthy store.
func TestSoundPagesPass(t *testing.T) {
	deepest := 0
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), "sound.db")
		db, err := bolt.Open(path, 0o600, &bolt.Options{
			PageSize: fuzzPage, NoSync: true, NoFreelistSync: rapid.Bool().Draw(rt, "no freelist"),
		})
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			if err := db.Update(func(tx *bolt.Tx) error { return pagesWrite(rt, tx) }); err != nil {
				rt.Fatal(err)
			}
			data := must(os.ReadFile(path))
			if err := Check(bytes.NewReader(data), int64(len(data))); err != nil {
				rt.Fatalf("a sound file is reported as damaged: %v", err)
			}
		}
		deepest = max(deepest, pagesDepth(rt, db))
	})
	if deepest < 3 {
		t.Errorf("the deepest tree had %d levels of pages, too few to show anything", deepest)
	}
}

// pagesWrite puts keys into two nested buckets, or takes ranges of them out, so
// that pages split, merge and lose their first keys.
func pagesWrite(rt *rapid.T, tx *bolt.Tx) error {
	outer, err := tx.CreateBucketIfNotExists([]byte("outer"))
	if err != nil {
		return err
	}
	if rapid.IntRange(0, 9).Draw(rt, "drop") == 0 && outer.Bucket([]byte("inner")) != nil {
		if err := outer.DeleteBucket([]byte("inner")); err != nil {
			return err
		}
	}
	inner, err := outer.CreateBucketIfNotExists([]byte("inner"))
	if err != nil {
		return err
	}
	for _, b := range []*bolt.Bucket{outer, inner} {
		first, count := rapid.IntRange(0, 900).Draw(rt, "first"), rapid.IntRange(0, 500).Draw(rt, "count")
		remove := rapid.Bool().Draw(rt, "remove")
		value := make([]byte, rapid.SampledFrom([]int{0, 10, 200, 3000}).Draw(rt, "value"))
		for i := first; i < first+count; i += rapid.SampledFrom([]int{1, 1, 2, 7}).Draw(rt, "step") {
			key := fmt.Appendf(nil, "%04d%s", i, strings.Repeat("k", i*37%120))
			if remove {
				err = b.Delete(key)
			} else {
				err = b.Put(key, value)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func pagesDepth(rt *rapid.T, db *bolt.DB) (depth int) {
	err := db.View(func(tx *bolt.Tx) error {
		depth = tx.Bucket([]byte("outer")).Stats().Depth
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	return depth
}

// A branch that names another first key than its child has lets bolt read, but
// not write: the next one leaves the child twice in the tree.
func TestWrongFirstKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "damaged.db")
	db := must(bolt.Open(path, 0o600, &bolt.Options{PageSize: fuzzPage, NoSync: true, NoFreelistSync: true}))
	err := db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		for i := 0; i < 200 && err == nil; i++ {
			err = b.Put(fmt.Appendf(nil, "key-%03d", 2*i), make([]byte, 40))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data := must(os.ReadFile(path))
	branches := 0
	for at := 2 * fuzzPage; at < len(data); at += fuzzPage {
		if binary.NativeEndian.Uint16(data[at+8:]) != branch {
			continue
		}
		branches++
		// The last digit of the second child's key: one less is still above
		// all keys of the first child.
		elem := at + header + 16
		last := elem + int(binary.NativeEndian.Uint32(data[elem:])) + len("key-000") - 1
		data[last]--
		if err := Check(bytes.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), "begins with another key") {
			t.Errorf("it says %v", err)
		}
		data[last]++
	}
	if branches == 0 {
		t.Fatal("there is no branch")
	}
}
