package growth_test

import (
	"math"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bench/growth"
)

var sizes = []int{100, 300, 1000, 3000, 10_000, 20_000}

func of(t *testing.T, cost func(n float64) float64) growth.Fit {
	t.Helper()
	var points []growth.Point
	for _, n := range sizes {
		points = append(points, growth.Point{Size: n, Cost: cost(float64(n))})
	}
	fit, err := growth.Of(points...)
	if err != nil {
		t.Fatal(err)
	}
	return fit
}

func TestLinearGrowthPasses(t *testing.T) {
	for name, cost := range map[string]func(float64) float64{
		"each":                func(n float64) float64 { return 3 * n },
		"each and a constant": func(n float64) float64 { return 3*n + 5000 },
		"a constant":          func(float64) float64 { return 5000 },
		"less than each":      func(n float64) float64 { return math.Sqrt(n) },
		"shrinking":           func(n float64) float64 { return 1 / n },
		// Tables that double when they are full, from below and above.
		"steps of a twentieth": func(n float64) float64 { return n * (1 + math.Mod(n, 700)/700/20) },
	} {
		if fit := of(t, cost); fit.Excess > growth.Limit {
			t.Errorf("%s: %+v", name, fit)
		}
	}
}

func TestWorseGrowthFails(t *testing.T) {
	for name, cost := range map[string]func(float64) float64{
		"squared":                       func(n float64) float64 { return n * n },
		"a constant hides no square":    func(n float64) float64 { return 1e5 + n*n/100 },
		"squares are a tenth at 10,000": func(n float64) float64 { return n + n*n/1e5 },
		"n log n":                       func(n float64) float64 { return n * math.Log(n) },
		"to the power of 1.1":           func(n float64) float64 { return math.Pow(n, 1.1) },
		"a cache that is too small": func(n float64) float64 {
			if n > 15_000 {
				return 1.2 * n
			}
			return n
		},
	} {
		if fit := of(t, cost); fit.Excess <= growth.Limit {
			t.Errorf("%s: %+v", name, fit)
		}
	}
}

func TestFit(t *testing.T) {
	fit := of(t, func(n float64) float64 { return 3*n + 500 })
	for what, pair := range map[string][2]float64{
		"constant": {fit.Constant, 500}, "each": {fit.Each, 3}, "excess": {fit.Excess + 1, 1},
	} {
		if math.Abs(pair[0]/pair[1]-1) > 1e-6 {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if fit := of(t, func(n float64) float64 { return n * n }); math.Abs(fit.Exponent-2) > 1e-9 {
		t.Errorf("the exponent of squares is %v", fit.Exponent)
	}
}

func TestNoFit(t *testing.T) {
	for name, points := range map[string][]growth.Point{
		"nothing":     nil,
		"three":       {{1, 1}, {2, 2}, {3, 3}},
		"a size only": {{1, 1}, {2, 2}, {2, 3}, {4, 4}},
		"no cost":     {{1, 1}, {2, 0}, {3, 3}, {4, 4}},
	} {
		if fit, err := growth.Of(points...); err == nil {
			t.Errorf("%s: %+v", name, fit)
		}
	}
}
