package boltcheck

// pageSet is a set of pages: a bit for each one that the file has room for.
// Others, which only a list of free pages can name, are few.
type pageSet struct {
	bits []uint64
	rest map[uint64]struct{}
}

func newPageSet(pages uint64) *pageSet {
	return &pageSet{bits: make([]uint64, pages/64+1), rest: make(map[uint64]struct{})}
}

// add says whether the page is new to the set.
func (s *pageSet) add(id uint64) bool {
	if id/64 >= uint64(len(s.bits)) {
		_, there := s.rest[id]
		s.rest[id] = struct{}{}
		return !there
	}
	bit := uint64(1) << (id % 64)
	there := s.bits[id/64]&bit != 0
	s.bits[id/64] |= bit
	return !there
}
