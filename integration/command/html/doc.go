// Package html tests the HTML page of ctr-prune in a headless Chromium: that
// it draws, filters, sorts and zooms, by keyboard too, that no name in it is
// more than a name, and how soon a large one can be used.
//
// The stores are made up, but what is shown of them comes from the product's
// own plan and usage. `go test ./integration/command/html -run Shots -shots DIR` writes
// pictures; those in docs/img are those of Shots/docs, and went through pngquant.
package html
