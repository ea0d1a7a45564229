// Package terminal writes text for people: sentences, tables and trees that fit
// the width of a terminal, progress, questions, and sizes and ages in words.
// Results go to stdout; the question, the progress, errors and logs go to
// stderr, so that a pipe gets results only.
//
// Text in a store is not trusted: names, labels, lease IDs, and the errors that
// contain them. None of it reaches a stream except through [Quote], which turns
// everything that does not print (control characters, escape sequences,
// characters that change the direction of writing, bytes that are not UTF-8)
// into visible escapes such as \x1b and \u202e. It is called where text becomes
// output: in [Printer.Line] for sentences, in [Table.Add] for cells, by
// templates for every value, and [EscapeJSON] does the same with JSON's own
// escapes. Nothing is quoted earlier, so data is exact until then.
//
// On a terminal a table is fitted to its width; elsewhere nothing is cut.
// Colour is used only on a terminal, never with NO_COLOR, and never adds
// information that is not in the text.
package terminal
