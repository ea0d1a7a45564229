// Package privatefile writes files that only their owner may read, because they
// list what runs on a machine. A file is written completely or not at all, and
// neither a link nor anything else that another user may have put at its path
// is followed or replaced. The package also tells whether two outputs are the
// same file, however their paths are written.
package privatefile
