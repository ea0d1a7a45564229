// Package outage takes containerd away from under runs of the real command:
// it is killed, restarted or frozen at any instant, the collection among them.
// Nothing may be lost, the command has to end, and the next run has to leave
// what an undisturbed one leaves.
package outage
