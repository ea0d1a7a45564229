// Package format shows one result in the form that --format asks for: as a
// table for people, as JSON, as one JSON object a line, by a Go template for
// every row or for the whole document, or only as names. There is one engine
// for all commands. An invalid format is an error of [New], before anything is
// read or done. Every value that a template prints is quoted by the package
// terminal, and JSON escapes what does not print, so that no text from a store
// reaches a terminal unquoted.
package format
