package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Cause is why something is kept or removed, or why nothing can be done: a
// code, its parts, and a sentence made of them.
type Cause = cause.Cause

// Code identifies a reason, a holder or a problem for programs. Codes are
// stable, while the sentences beside them may be reworded. docs/json.md lists
// all codes.
type Code = cause.Code

// CodeOf returns the code of an error, or "" if it has none.
func CodeOf(err error) Code {
	return cause.CodeOf(err)
}

// CodeError adds a code to an error, so that a program can tell its user what
// helps, for example which option to use.
type CodeError = cause.CodeError

// Keeper is what keeps an object from being reclaimed.
type Keeper = cause.Keeper

// Object names one thing in a store.
type Object = graph.Object
