// Package cause has the reasons why something is kept or removed, the holders
// that keep it, and the codes of both. A reason is a code with its parts; its
// sentence is made of these here and nowhere else. docs/json.md lists all
// codes.
package cause
