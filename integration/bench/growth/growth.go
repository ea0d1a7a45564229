package growth

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Limit is by how much the largest size may cost more than linear growth
// foretells.
const Limit = 0.10

// Point is what one size costs, in any unit.
type Point struct {
	Size int
	Cost float64
}

// Fit is what a series of points says.
type Fit struct {
	// Constant and Each are the line through the points, cost = Constant +
	// Each·size, with the least squares of the relative errors: small sizes
	// count as much as large ones.
	Constant, Each float64
	// Exponent is the slope of the least-squares line through the logarithms:
	// 1 is linear, less means that a constant part is felt.
	Exponent float64
	// Excess is by how much the largest size costs more than is foretold, 0.1
	// for a tenth; negative if it costs less. Foretold is the cost of the
	// smallest size, and for each image more the median of what each image more
	// costs at the sizes between. So the constant part is subtracted, and one
	// size that was measured badly does not decide.
	Excess float64
}

// Of fits points of at least four different sizes, with positive costs.
func Of(points ...Point) (Fit, error) {
	points = slices.SortedFunc(slices.Values(points), func(a, b Point) int { return cmp.Compare(a.Size, b.Size) })
	for i, p := range points {
		if p.Size <= 0 || p.Cost <= 0 || i > 0 && p.Size == points[i-1].Size {
			return Fit{}, fmt.Errorf("%d costing %v among %d points: sizes must differ, and all be positive", p.Size, p.Cost, len(points))
		}
	}
	if len(points) < 4 {
		return Fit{}, errors.New("growth needs four sizes or more to be seen")
	}
	var f Fit
	f.Constant, f.Each = line(points)
	_, f.Exponent = leastSquares(points, func(p Point) (x, y, weight float64) {
		return math.Log(float64(p.Size)), math.Log(p.Cost), 1
	})
	f.Excess = excess(points)
	return f, nil
}

func line(points []Point) (constant, each float64) {
	return leastSquares(points, func(p Point) (x, y, weight float64) {
		return float64(p.Size), p.Cost, 1 / (p.Cost * p.Cost)
	})
}

// leastSquares fits y = a + b·x.
func leastSquares(points []Point, of func(Point) (x, y, weight float64)) (a, b float64) {
	var sum, sx, sy, sxx, sxy float64
	for _, p := range points {
		x, y, w := of(p)
		sum += w
		sx += w * x
		sy += w * y
		sxx += w * x * x
		sxy += w * x * y
	}
	b = (sum*sxy - sx*sy) / (sum*sxx - sx*sx)
	return (sy - b*sx) / sum, b
}

func excess(points []Point) float64 {
	first, last := points[0], points[len(points)-1]
	var more []float64
	for _, p := range points[1 : len(points)-1] {
		more = append(more, (p.Cost-first.Cost)/float64(p.Size-first.Size))
	}
	slices.Sort(more)
	median := (more[(len(more)-1)/2] + more[len(more)/2]) / 2
	// What does not grow between is not foretold to shrink.
	return last.Cost/(first.Cost+max(median, 0)*float64(last.Size-first.Size)) - 1
}
