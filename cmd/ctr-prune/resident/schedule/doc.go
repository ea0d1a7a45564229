// Package schedule says when runs are to begin: regularly, on each node at
// another moment, and only in the windows that a policy leaves. It reads no clock.
package schedule
