// Package terminal writes text for people: sentences, tables and trees that
// fit the width of a terminal, the progress of what takes long, questions, and
// sizes and ages as words. Results go to stdout; the question, the progress,
// errors and logs go to stderr, so that a pipe gets results only.
//
// What a store holds was written by strangers: names, labels, lease IDs, and
// the errors that repeat them. None of it reaches a stream but through
// [Quote], which turns everything that does not print (control characters,
// escape sequences, characters that change the direction of writing, bytes
// that are not UTF-8) into visible escapes such as \x1b and \u202e. It is
// called where text becomes output: in [Printer.Line] for sentences, in
// [Table.Add] for cells, by templates for every value, and [EscapeJSON] does
// the same with JSON's own escapes. Nothing is quoted earlier, so that data
// stays exact until then.
//
// On a terminal a table is fitted to its width; elsewhere nothing is cut.
// Colour is used on a terminal only, never with NO_COLOR, and never carries
// what the text does not say.
package terminal
