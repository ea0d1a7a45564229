// Package simulation compares pruners over a week of a host that builds and tests
// software. It has tests only: make simulate prints their table.
//
// The host is a model: its disk, its images and what runs are counted, nothing is
// stored. What happens is drawn once for each week and is the same for every pruner;
// only what a pruner has removed, and is needed again, is pulled again.
package simulation
