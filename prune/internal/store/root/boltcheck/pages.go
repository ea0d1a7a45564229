package boltcheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Check walks all pages that a bolt file has in use, and returns a
// Damage for anything that would make bolt read outside of a page, run in
// a circle or panic, and for free pages that are in use. It reads every page
// once, and none through a memory map.
func Check(f io.ReaderAt, size int64) error {
	m, err := readMeta(f, size)
	if err != nil {
		return err
	}
	p := &pages{file: f, size: uint64(size), meta: m, seen: newPageSet(uint64(size) / m.pageSize)}
	if m.high < 2 || m.high > 1<<32 {
		return Damage("its size is impossible")
	}
	if err := p.tree(m.root, keyRange{}); err != nil {
		return err
	}
	if m.freelist == noFreelist {
		return nil
	}
	return p.freelist(m.freelist)
}

// pages is one walk over a file.
type pages struct {
	file io.ReaderAt
	size uint64
	meta meta
	seen *pageSet
	// depth is how many trees the walk is in, and buffers has a page of each,
	// because a page is in use as long as what is below it is walked.
	depth   int
	buffers [][]byte
	// elems are those of all pages that are in use.
	elems []element
}

// keyRange is that of a subtree's keys: low is the first one, and all are below
// high. A nil bound is none. That a branch names the first key of each child is
// what bolt relies on when it writes: it finds the child's place in the branch
// by that key, and where there is no such place it makes a second one, and
// leaves the first one on a page that is free by then.
type keyRange struct{ low, high []byte }

// read returns a page with those that follow it, and marks them as seen.
func (p *pages) read(id uint64) ([]byte, error) {
	if id < 2 || id >= p.meta.high {
		return nil, Damage(fmt.Sprintf("page %d does not exist", id))
	}
	page, err := p.bytes(id, 1)
	if err != nil {
		return nil, err
	}
	more := uint64(binary.NativeEndian.Uint32(page[12:]))
	if binary.NativeEndian.Uint64(page) != id || id+more >= p.meta.high {
		return nil, Damage(fmt.Sprintf("page %d has a wrong header", id))
	}
	if more > 0 {
		if page, err = p.bytes(id, more+1); err != nil {
			return nil, err
		}
	}
	for i := id; i <= id+more; i++ {
		if !p.seen.add(i) {
			return nil, Damage(fmt.Sprintf("page %d is used twice", i))
		}
	}
	return page, nil
}

// buffer is where the page of this depth is read into.
func (p *pages) buffer(size uint64) []byte {
	for len(p.buffers) <= p.depth {
		p.buffers = append(p.buffers, make([]byte, p.meta.pageSize))
	}
	if uint64(cap(p.buffers[p.depth])) < size {
		p.buffers[p.depth] = make([]byte, size)
	}
	return p.buffers[p.depth][:size]
}

func (p *pages) bytes(id, n uint64) ([]byte, error) {
	if (id+n)*p.meta.pageSize > p.size {
		return nil, Damage(fmt.Sprintf("it ends before page %d, so it was truncated", id+n-1))
	}
	buf := p.buffer(n * p.meta.pageSize)
	if _, err := p.file.ReadAt(buf, int64(id*p.meta.pageSize)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return buf, nil
}

// tree checks the page and all below it.
func (p *pages) tree(id uint64, keys keyRange) error {
	p.depth++
	defer func() { p.depth-- }()
	page, err := p.read(id)
	if err != nil {
		return err
	}
	switch binary.NativeEndian.Uint16(page[8:]) {
	case branch:
		return p.branch(id, page, keys)
	case leaf:
		return p.leaf(id, page, keys)
	default:
		return Damage(fmt.Sprintf("page %d is of a wrong type", id))
	}
}

// branch checks a page of children: offset and size of the key, page ID.
func (p *pages) branch(id uint64, page []byte, keys keyRange) error {
	elems, err := p.elements(id, page, keys, branchLayout)
	if err != nil {
		return err
	}
	defer p.release(elems)
	if len(elems) == 0 {
		return Damage(fmt.Sprintf("page %d has no children", id))
	}
	for i, e := range elems {
		below := keyRange{low: e.key, high: keys.high}
		if i+1 < len(elems) {
			below.high = elems[i+1].key
		}
		if err := p.tree(binary.NativeEndian.Uint64(e.head[8:]), below); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a page of values: flags, offset and size of the key, size of the
// value. Flag 1 marks a bucket, whose value is the page of its own tree and a
// sequence number, or zero, that number, and a leaf page within the value.
func (p *pages) leaf(id uint64, page []byte, keys keyRange) error {
	elems, err := p.elements(id, page, keys, leafLayout)
	if err != nil {
		return err
	}
	defer p.release(elems)
	for _, e := range elems {
		if binary.NativeEndian.Uint32(e.head)&1 == 0 {
			continue
		}
		if err := p.bucket(id, e.value); err != nil {
			return err
		}
	}
	return nil
}

func (p *pages) bucket(id uint64, value []byte) error {
	if len(value) < 16 {
		return Damage(fmt.Sprintf("page %d has a bucket that is too short", id))
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return p.tree(root, keyRange{})
	}
	inline := value[16:]
	if len(inline) < header || binary.NativeEndian.Uint16(inline[8:]) != leaf {
		return Damage(fmt.Sprintf("page %d has a bucket of a wrong type", id))
	}
	return p.leaf(id, inline, keyRange{})
}

// branchLayout and leafLayout read the fixed part of an element.
func branchLayout(e []byte) (pos, key, value uint32) {
	return binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]), 0
}

func leafLayout(e []byte) (pos, key, value uint32) {
	return binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])
}

// element is one of a page's: its fixed part, and what that points at.
type element struct{ head, key, value []byte }

// elements cuts a page into its elements, and checks that they lie in it
// and that their keys ascend within the range. Offsets count from the fixed part.
func (p *pages) elements(id uint64, page []byte, keys keyRange, layout func([]byte) (pos, key, value uint32)) ([]element, error) {
	const size = 16
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if header+count*size > len(page) {
		return nil, Damage(fmt.Sprintf("page %d has too many elements", id))
	}
	if count == 0 && keys.low != nil {
		return nil, Damage(fmt.Sprintf("page %d is empty, but has a parent", id))
	}
	first := len(p.elems)
	var last []byte
	for i := range count {
		at := uint64(header + i*size)
		e := element{head: page[at : at+size]}
		pos, k, v := layout(e.head)
		start := at + uint64(pos)
		mid, end := start+uint64(k), start+uint64(k)+uint64(v)
		if k == 0 || end > uint64(len(page)) {
			return nil, Damage(fmt.Sprintf("page %d has an element that is not in it", id))
		}
		e.key, e.value = page[start:mid], page[mid:end]
		if i == 0 && keys.low != nil && !bytes.Equal(keys.low, e.key) {
			return nil, Damage(fmt.Sprintf("page %d begins with another key than its parent names", id))
		}
		if i > 0 && bytes.Compare(last, e.key) >= 0 {
			return nil, Damage(fmt.Sprintf("page %d has keys in a wrong order", id))
		}
		if keys.high != nil && bytes.Compare(e.key, keys.high) >= 0 {
			return nil, Damage(fmt.Sprintf("page %d has a key that belongs elsewhere", id))
		}
		p.elems, last = append(p.elems, e), e.key
	}
	return p.elems[first:], nil
}

// release makes room for the elements of another page. The check ends with the
// first error, after which nothing has to be released.
func (p *pages) release(elems []element) { p.elems = p.elems[:len(p.elems)-len(elems)] }

// freelist checks the stored list of free pages: none may be in use. A count
// of 0xFFFF means that the real one is the first entry.
func (p *pages) freelist(id uint64) error {
	page, err := p.read(id)
	if err != nil {
		return err
	}
	u64 := binary.NativeEndian.Uint64
	ids, count := page[header:], uint64(binary.NativeEndian.Uint16(page[10:]))
	if count == 0xFFFF {
		ids, count = ids[8:], u64(ids)
	}
	if binary.NativeEndian.Uint16(page[8:]) != freelist || count > uint64(len(ids)/8) {
		return Damage("its list of free pages is broken")
	}
	for i := range count {
		free := u64(ids[i*8:])
		if free < 2 || free >= p.meta.high || !p.seen.add(free) {
			return Damage(fmt.Sprintf("page %d is listed as free but is not", free))
		}
	}
	return nil
}
