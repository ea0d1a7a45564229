// Package registry serves images from memory on the loopback, as much of the
// distribution API as a pull asks for.
package registry
