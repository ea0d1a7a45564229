// Package filters parses and applies the filters by which a user selects the
// images that may be removed.
//
// [Parse] turns what was typed (-a, --until, --filter) into a [Set], and
// [Set.Match] judges a [Subject]. A Set only ever narrows what may be removed;
// what protects an image (a container, a pin, a lease) is decided elsewhere.
//
// The package fails closed. Input that it cannot parse is an [Error], and an
// image that it cannot judge (because its age is unknown or its config cannot
// be parsed) does not match, with that as the reason.
//
// It does no I/O, does not know about stores and never reads the clock.
package filters
