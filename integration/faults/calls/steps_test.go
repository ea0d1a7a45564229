package calls

import (
	"path"
	"slices"
	"testing"
)

// few is how many calls fail at least.
const few = 8

// writing are the calls that change a store.
var writing = []string{"Create", "Delete", "Update", "Write", "Abort", "Prepare", "AddResource"}

// sample are the numbers of the calls that fail: all in the long mode, else a
// spread. A wide one has every call that changes the store as well.
func (b *bed) sample(wide bool) []int {
	switch {
	case long():
		return steps(len(b.calls), 0)
	case !wide || testing.Short():
		return steps(len(b.calls), few+2)
	}
	at := steps(len(b.calls), 3*few)
	for i, method := range b.calls {
		if slices.Contains(writing, path.Base(method)) {
			at = append(at, i+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// steps are the numbers of all calls, or a spread of n.
func steps(calls, n int) []int {
	if n <= 0 || n >= calls {
		n = calls
	}
	var at []int
	for i := range n {
		at = append(at, 1+i*(calls-1)/max(1, n-1))
	}
	return at
}
