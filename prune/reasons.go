package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Cause is why something stays or goes, or why nothing can be done.
type Cause = cause.Cause

// Code names a reason, a holder, or what is wrong, for programs. It is stable:
// the sentence beside it may be worded anew. docs/json.md lists all codes.
type Code = cause.Code

// CodeOf returns the code of an error, "" if it has none.
func CodeOf(err error) Code {
	return cause.CodeOf(err)
}

// CodeError gives an error a code, by which a program can tell its user what
// helps: which option to give, for one.
type CodeError = cause.CodeError

// Keeper is what keeps an object from being reclaimed.
type Keeper = cause.Keeper

// Object names one thing in a store.
type Object = graph.Object
