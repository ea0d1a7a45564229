// Package recorder finds out when images are used: it follows containerd's events,
// which only hint, and looks at the store, which decides. It only reads.
//
// A hint whose image is known costs next to nothing. One whose image is not known
// waits for the next look, which is soon, but not sooner than what it costs allows.
package recorder
