package boltcheck

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// Damage says what is wrong with a bolt file.
type Damage string

func (d Damage) Error() string { return string(d) }

// The format of a bolt file (bbolt's internal/common), which is in the byte
// order of the machine. Every page begins with a header: its ID (8 bytes), its
// type (2), the number of its elements (2), and how many pages follow that
// belong to it (4).
const (
	magic   = 0xED0CDAED
	version = 2

	header = 16
	// A meta page's body, which ends with a checksum of what is before it.
	metaSize = 64
	metaSum  = 56

	branch   = 0x01
	leaf     = 0x02
	freelist = 0x10

	// noFreelist stands for the free list's page if it is not stored.
	noFreelist = ^uint64(0)
)

// meta is what a meta page says of one transaction's state of the file.
type meta struct {
	pageSize uint64
	root     uint64 // the page of the root bucket
	freelist uint64
	high     uint64 // pages from this one on are not in use
	txid     uint64
}

// readMeta returns the newer valid one of the two meta pages, as bolt does.
// The second page's place depends on the page size: if the first one does not
// tell, each size is tried.
func readMeta(f io.ReaderAt, size int64) (meta, error) {
	first, firstErr := metaAt(f, 0)
	if firstErr == nil {
		second, err := metaAt(f, int64(first.pageSize))
		if err == nil && second.txid > first.txid {
			return second, nil
		}
		return first, nil
	}
	for at := int64(1024); at <= 16<<20 && at < size; at *= 2 {
		if m, err := metaAt(f, at); err == nil && int64(m.pageSize) == at {
			return m, nil
		}
	}
	return meta{}, firstErr
}

func metaAt(f io.ReaderAt, at int64) (meta, error) {
	buf := make([]byte, header+metaSize)
	if _, err := f.ReadAt(buf, at); err != nil {
		if errors.Is(err, io.EOF) {
			return meta{}, Damage("it is too short for a database")
		}
		return meta{}, err
	}
	b := buf[header:]
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	sum := fnv.New64a()
	// Writing to a hash never fails (hash.Hash).
	_, _ = sum.Write(b[:metaSum])
	m := meta{
		pageSize: uint64(u32(b[8:])),
		root:     u64(b[16:]),
		freelist: u64(b[32:]),
		high:     u64(b[40:]),
		txid:     u64(b[48:]),
	}
	switch {
	case u32(b) != magic || u32(b[4:]) != version:
		return m, Damage("it is not a bolt database")
	case u64(b[metaSum:]) != sum.Sum64():
		return m, Damage("its checksum is wrong")
	case m.pageSize < 1024 || m.pageSize > 16<<20 || m.pageSize&(m.pageSize-1) != 0:
		return m, Damage("its page size is impossible")
	}
	return m, nil
}
