// Package privatefile writes files that only their owner may read: what runs
// on a machine is nobody else's business. A file is written whole or not at
// all, and neither a link nor anything else that somebody may have put at its
// path is followed or replaced. It also tells whether two outputs would be one
// file, by whatever spelling.
package privatefile
