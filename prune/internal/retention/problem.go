package retention

import (
	"errors"
	"fmt"
	"slices"
)

// Problem is something in a policy file that is wrong, in one sentence.
type Problem struct {
	File         string
	Line, Column int
	Text         string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Place is where the problem is.
func (p *Problem) Place() (file string, line, column int) { return p.File, p.Line, p.Column }

// position is a place in a file, both numbers from 1.
type position struct{ line, column int }

// joined is the error for all problems of a file, in the order of their places.
func joined(problems []*Problem) error {
	slices.SortStableFunc(problems, func(a, b *Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
