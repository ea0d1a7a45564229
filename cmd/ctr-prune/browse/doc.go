// Package browse is a program for a terminal that shows a store as a tree, in which a
// person marks images to remove them.
//
//	read -> Model -> Key -> View
//
// Nothing but program.go, which is the way to Bubble Tea, does I/O or waits: a [Model]
// changes only when it is told of a key or of what came of an [Effect], and its view is
// text for a width and a height. tree.go makes the tree of a survey, order.go sorts it,
// marks.go has what is marked and what that frees, keys.go what keys do, search.go finds
// names, and rows.go, foot.go and pages.go are what is shown.
package browse
