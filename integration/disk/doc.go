// Package disk tests ctr-prune on stores whose disk is full, read-only or
// failing. Each daemon has its root on a small ext4 of its own, on a loop
// device: only root can mount that.
//
// Device mapper's error target is not needed for input and output errors:
// shutting the file system down makes all that reaches it fail with EIO, and
// loses what was not synced, as a disk that is pulled out does.
package disk
