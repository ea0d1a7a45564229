// Package typed reads what is typed as flags, and says in a sentence what is wrong with
// it and what was probably meant.
package typed
