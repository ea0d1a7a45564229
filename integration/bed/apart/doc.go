// Package apart runs the tests of a package on a machine of their own, as far as they
// see: a network, mounts and processes that nobody else has, and that are gone when the
// tests are, however these end.
package apart
