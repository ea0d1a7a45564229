// Package filters decides which images a user allows to be removed.
//
// It parses what was typed (-a, --until, --filter) into a [Set] and judges a
// [Subject] against it. A Set only ever narrows what may go: what protects an
// image (a container, a pin, a lease) is decided elsewhere.
//
// The package fails closed. What it cannot parse is an [Error] before anything
// is read, and what it cannot judge (an age that cannot be read, a config that
// cannot be parsed) does not match, with that as the reason.
//
// It is a leaf: it does no I/O, knows no store and never reads the clock.
package filters
