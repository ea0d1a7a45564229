// Package text shows people in words and tables what a store holds, what a plan
// would do and what a run did. It writes to a printer of the package terminal,
// which quotes, fits and colours text; other output formats are in the package
// format. It decides nothing: everything that it shows comes from the types of
// the package prune.
package text
