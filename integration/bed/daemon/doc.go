// Package daemon runs private containerd daemons for tests: each has its own
// root, state and socket in a short temporary folder and is killed, unmounted
// and removed when its test ends, however it ends.
package daemon
