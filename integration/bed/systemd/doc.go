// Package systemd boots a distribution for a test: systemd as process 1 of
// namespaces and control groups of its own. It ends with the test that
// started it, however that ends.
package systemd
