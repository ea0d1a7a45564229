// Package survey lays out a store for a person who picks images by hand: what is freed
// when any set of them is removed, what stays then and who holds it, and what the
// images of a group hold together. Only [Read] does I/O.
//
// survey.go has what is prepared once, picked.go what becomes of the images that are
// picked, frees.go the walk that finds what goes with them, groups.go sums up groups
// of images, contents.go lists what one image consists of.
package survey
