// Package daemon is a store over the socket of a running containerd.
package daemon
