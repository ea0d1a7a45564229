// Command demo is `make demo`: it makes a containerd store with real images
// from files of this machine, shows ctr-prune on it, and checks what is left.
// It needs neither root nor a containerd.
package main
