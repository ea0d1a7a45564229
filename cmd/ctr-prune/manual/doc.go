// Package manual lays out what a command is, does and takes: short or whole for a
// screen, and as a page for man. Both come from the same [Page].
package manual
