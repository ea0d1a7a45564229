// Package trust says whether a socket or a file is controlled by nobody but
// root and the user who runs this: who controls it decides what is believed, and
// so what is removed.
//
// A thing is controlled by its owner, by who may write to it, and by all who
// may put another in its place: the owners of the folders above it, whoever may
// write to one of these, and the same for every symbolic link on the way.
package trust
