package simulation

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// event is that somebody builds an image, or runs a container of one.
type event struct {
	at    time.Time
	image *image
	built bool // it appears because it is built here
	runs  time.Duration
}

// monday is when the week begins.
var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// week draws what happens in so many days.
type week struct {
	*rand.Rand
	days   int
	events []event
	layers int
}

// drawWeek draws the events of a host, in the order of their times: teams build
// their applications on images that they share, test them beside services, come
// back to some of them, and pull others once.
func drawWeek(seed uint64, days int) []event {
	w := &week{Rand: rand.New(rand.NewPCG(seed, seed)), days: days}
	bases, services := w.shared("docker.io/library/base-%d", 8, 60, 350), w.shared("docker.io/library/service-%d", 25, 50, 250)
	tools := w.shared("registry.example/tools/toolchain-%d", 10, 300, 1200)
	for n := range 30 {
		w.application(n, bases[w.IntN(len(bases))], tools[w.popular(len(tools))], services)
	}
	for at := range w.moments(2) {
		w.run(at, w.image(fmt.Sprintf("docker.io/other/once:%d", len(w.events)), bases[w.IntN(len(bases))].top, w.between(50, 400)), w.exp(10*time.Minute))
	}
	slices.SortStableFunc(w.events, func(a, b event) int { return a.at.Compare(b.at) })
	return w.events
}

// shared makes images that many use.
func (w *week) shared(name string, n, least, most int64) (all []*image) {
	for i := range n {
		all = append(all, w.image(fmt.Sprintf(name, i)+":1", nil, w.between(least, most)/2, w.between(least, most)/2))
	}
	return all
}

// image makes an image of new layers on top of another's.
func (w *week) image(name string, top *layer, sizes ...int64) *image {
	for _, size := range sizes {
		w.layers++
		top = &layer{name: fmt.Sprint("layer ", w.layers), parent: top, packed: size}
	}
	return &image{name: name, top: top}
}

// application draws the builds of one application. Its dependencies change
// every now and then, its code with every build.
func (w *week) application(n int, base, tool *image, services []*image) {
	team := fmt.Sprintf("ci.example/team-%d/app-%d", n%6, n)
	var dependencies *layer
	build := 0
	for at := range w.moments(0.9 / float64(1+n%5)) {
		if dependencies == nil || w.Float64() < 0.1 {
			dependencies = w.image("", base.top, w.between(40, 250)).top
		}
		build++
		built := w.image(fmt.Sprintf("%s:build-%d", team, build), dependencies, w.between(10, 60))
		w.run(at, base, w.exp(2*time.Minute))
		w.run(at, tool, w.exp(8*time.Minute))
		w.events = append(w.events, event{at: at.Add(10 * time.Minute), image: built, built: true})
		w.tested(at.Add(11*time.Minute), built, services)
	}
}

// tested draws when an image is run: right after its build, beside services,
// and now and then later: a retry, a test of the next morning, a release.
func (w *week) tested(at time.Time, built *image, services []*image) {
	w.run(at, built, w.exp(5*time.Minute))
	for range w.IntN(3) {
		w.run(at, services[w.popular(len(services))], w.exp(5*time.Minute))
	}
	for w.Float64() < 0.3 {
		at = at.Add(w.exp(5 * time.Hour))
		w.run(at, built, w.exp(5*time.Minute))
	}
}

func (w *week) run(at time.Time, i *image, length time.Duration) {
	w.events = append(w.events, event{at: at, image: i, runs: max(length, 10*time.Second)})
}

// moments are those of a Poisson process with so many an hour at the busiest
// time of day. Nights and the weekend are quiet.
func (w *week) moments(anHour float64) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for at := monday; ; {
			at = at.Add(w.exp(time.Duration(float64(time.Hour) / anHour)))
			if !at.Before(monday.AddDate(0, 0, w.days)) {
				return
			}
			if w.Float64() < busy(at) && !yield(at) {
				return
			}
		}
	}
}

// busy is how much of the busiest time's work is done at that time.
func busy(at time.Time) float64 {
	day := math.Exp(-math.Pow((float64(at.Hour())-14)/4.5, 2))
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		return 0.05 + 0.1*day
	}
	return 0.08 + 0.92*day
}

func (w *week) exp(mean time.Duration) time.Duration {
	return time.Duration(w.ExpFloat64() * float64(mean))
}

// between is a size in MB, as bytes.
func (w *week) between(least, most int64) int64 { return (least + w.Int64N(most-least+1)) * mb }

// popular chooses one of n, the first ones most often.
func (w *week) popular(n int) int {
	return cmp.Compare(n, 1) * int(math.Pow(float64(n), w.Float64())-1)
}
