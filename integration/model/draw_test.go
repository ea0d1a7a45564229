package model

import "pgregory.net/rapid"

// uniform draws a number below n, each as often as the others: rapid's own
// prefer small ones, and then most steps are the same.
func uniform(t *rapid.T, n int, what string) int {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 10 {
			v *= 2
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v % n
	}).Draw(t, what)
}

func pick[T any](t *rapid.T, items []T, what string) T { return items[uniform(t, len(items), what)] }

// oneIn says yes once in n times.
func oneIn(t *rapid.T, n int, what string) bool { return uniform(t, n, what) == n-1 }
