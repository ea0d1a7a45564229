// Package hostile shows that a store which was made to do harm does none:
// references in circles, in chains of ten thousand, and along a thousand
// million ways; manifests that are enormous, sizes that cannot be and sums
// that would wrap; as many labels as fit; and names that mean something to a
// shell, a browser, a template, a database or a terminal.
//
// The stores are planted into the files of real daemons of every supported
// version. What is asked of the command is that it ends, within a bound of
// memory, says what is true, shows nothing raw, and harms nothing. A store that
// a daemon cannot serve is refused in a sentence.
//
// The package holds tests, and the small program that weighs a command.
package hostile
