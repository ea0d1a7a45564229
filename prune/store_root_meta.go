package prune

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// boltDamage says what is wrong with a bolt file.
type boltDamage string

func (d boltDamage) Error() string { return string(d) }

// The format of a bolt file (bbolt's internal/common), which is in the byte
// order of the machine. Every page begins with a header: its ID (8 bytes), its
// type (2), the number of its elements (2), and how many pages follow that
// belong to it (4).
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	boltHeader = 16
	// A meta page's body, which ends with a checksum of what is before it.
	boltMetaSize = 64
	boltMetaSum  = 56

	boltBranch   = 0x01
	boltLeaf     = 0x02
	boltFreelist = 0x10

	// boltNoFreelist stands for the free list's page if it is not stored.
	boltNoFreelist = ^uint64(0)
)

// boltMeta is what a meta page says of one transaction's state of the file.
type boltMeta struct {
	pageSize uint64
	root     uint64 // the page of the root bucket
	freelist uint64
	high     uint64 // pages from this one on are not in use
	txid     uint64
}

// boltReadMeta returns the newer valid one of the two meta pages, as bolt does.
// The second page's place depends on the page size: if the first one does not
// tell, each size is tried.
func boltReadMeta(f io.ReaderAt, size int64) (boltMeta, error) {
	first, firstErr := boltMetaAt(f, 0)
	if firstErr == nil {
		second, err := boltMetaAt(f, int64(first.pageSize))
		if err == nil && second.txid > first.txid {
			return second, nil
		}
		return first, nil
	}
	for at := int64(1024); at <= 16<<20 && at < size; at *= 2 {
		if m, err := boltMetaAt(f, at); err == nil && int64(m.pageSize) == at {
			return m, nil
		}
	}
	return boltMeta{}, firstErr
}

func boltMetaAt(f io.ReaderAt, at int64) (boltMeta, error) {
	buf := make([]byte, boltHeader+boltMetaSize)
	if _, err := f.ReadAt(buf, at); err != nil {
		if errors.Is(err, io.EOF) {
			return boltMeta{}, boltDamage("it is too short for a database")
		}
		return boltMeta{}, err
	}
	b := buf[boltHeader:]
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	sum := fnv.New64a()
	// Writing to a hash never fails (hash.Hash).
	_, _ = sum.Write(b[:boltMetaSum])
	m := boltMeta{
		pageSize: uint64(u32(b[8:])),
		root:     u64(b[16:]),
		freelist: u64(b[32:]),
		high:     u64(b[40:]),
		txid:     u64(b[48:]),
	}
	switch {
	case u32(b) != boltMagic || u32(b[4:]) != boltVersion:
		return m, boltDamage("it is not a bolt database")
	case u64(b[boltMetaSum:]) != sum.Sum64():
		return m, boltDamage("its checksum is wrong")
	case m.pageSize < 1024 || m.pageSize > 16<<20 || m.pageSize&(m.pageSize-1) != 0:
		return m, boltDamage("its page size is impossible")
	}
	return m, nil
}
