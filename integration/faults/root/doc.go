// Package root tests ctr-prune on the roots of stopped daemons: killed at
// every transaction, on damaged databases, two at once, and with the real
// daemons started on what it left.
package root
