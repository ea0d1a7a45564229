// Command weigh runs a program and writes the peak of its resident memory, in
// bytes, into a file. It is small on purpose: Linux counts the memory that a
// process has before exec, which is its parent's, into the peak of the child.
//
//	weigh FILE PROGRAM ARGS
package main
