// Package bench times ctr-prune against the least that any program has to do,
// and weighs its memory. `make bench` runs it; without its flags it only
// proves on a small store that it works.
package bench
