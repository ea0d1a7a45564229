// Package locate finds the containerd of a machine: the sockets of the distributions
// that bring one, what other programs are configured to use, and roots near a
// directory.
package locate
