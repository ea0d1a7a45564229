// Package answers tests the commands that tell before and after a prune:
// explain, df, plan and apply, undo and runs, leases, and uploads, on running
// daemons of every version and on their roots.
package answers
