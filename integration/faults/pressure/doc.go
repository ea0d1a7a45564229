// Package pressure tests that ctr-prune frees as much as was asked for, on disks of
// its own: real containerds with blobs and snapshots on one loop file system or on
// two. What went is judged by the order in which the images were made and by what
// statfs and the files say, with none of the product's rules.
package pressure
