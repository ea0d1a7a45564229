// Package calls fails every call that a run makes to containerd, one at a
// time: with each error that a server gives, without an answer, by cutting
// streams, by cancelling the run, and by killing it. After each nothing may be
// lost, and the next run must leave what an undisturbed one leaves.
package calls
