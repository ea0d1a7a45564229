package prune

import (
	"math"
	"math/bits"
)

// wide is a sum of sizes that cannot overflow, so that what was added can be
// taken out again.
type wide struct{ hi, lo uint64 }

func (w wide) plus(x wide) wide {
	lo, carry := bits.Add64(w.lo, x.lo, 0)
	return wide{w.hi + x.hi + carry, lo}
}

func (w wide) minus(x wide) wide {
	lo, borrow := bits.Sub64(w.lo, x.lo, 0)
	return wide{w.hi - x.hi - borrow, lo}
}

// without returns w without x, which is a part of it unless w is a bound.
func (w wide) without(x wide) wide {
	if w.hi < x.hi || w.hi == x.hi && w.lo < x.lo {
		return wide{}
	}
	return w.minus(x)
}

// bytes returns the sum, or the largest number if it is larger.
func (w wide) bytes() int64 {
	if w.hi > 0 || w.lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(w.lo)
}

// wideOf takes a size; one below zero counts as nothing.
func wideOf(bytes int64) wide { return wide{lo: uint64(max(bytes, 0))} }

// mass is what objects take, as [Amount], but does not saturate.
type mass struct {
	blobs, snapshots  int
	content, snapshot wide
}

func (m mass) plus(x mass) mass {
	return mass{m.blobs + x.blobs, m.snapshots + x.snapshots, m.content.plus(x.content), m.snapshot.plus(x.snapshot)}
}

func (m mass) minus(x mass) mass {
	return mass{m.blobs - x.blobs, m.snapshots - x.snapshots, m.content.minus(x.content), m.snapshot.minus(x.snapshot)}
}

func (m mass) total() wide { return m.content.plus(m.snapshot) }

func (m mass) amount() Amount {
	return Amount{
		Blobs: m.blobs, Snapshots: m.snapshots,
		ContentBytes: m.content.bytes(), SnapshotBytes: m.snapshot.bytes(), TotalBytes: m.total().bytes(),
	}
}

func blobMass(bytes int64) mass     { return mass{blobs: 1, content: wideOf(bytes)} }
func snapshotMass(bytes int64) mass { return mass{snapshots: 1, snapshot: wideOf(bytes)} }
