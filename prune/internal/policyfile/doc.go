// Package policyfile reads policy files, and the files of patterns that they
// name, from the disk. What others could have written is refused, because these
// files decide what is removed.
package policyfile
