// Package disk tests ctr-prune on stores whose disk is full, read-only or
// failing. Each daemon has its root on a small ext4 of its own, on a loop
// device: only root can mount that.
//
// Device mapper's error target is not needed for input and output errors.
// Shutting the file system down makes all that reaches it fail with EIO, and
// loses what was not synced, as a disk that is pulled out does. And what a loop
// device has behind it can be cut off while it is in use: to read what lay there
// then fails with EIO, be it one blob or a database.
package disk
