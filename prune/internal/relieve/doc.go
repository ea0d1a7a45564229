// Package relieve executes plans until enough is free: it ends graces, runs, looks
// at the disks, and plans anew where the disks have not given back what was to go.
package relieve
