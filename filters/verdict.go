package filters

import "time"

// Verdict is the answer of a [Set] about one [Subject].
type Verdict struct {
	// Match says that every filter matches, so the subject may be removed. If not,
	// the other fields say why.
	Match bool
	// Code identifies the reason for programs: one of the constants below.
	Code string
	// Filter is the filter that keeps the subject, in the form in which it may be
	// typed.
	Filter string
	// Name is the name of the subject that decided, Label its label as KEY=VALUE.
	Name, Label string
	// Born is the subject's time, see [Subject].
	Born time.Time
	now  time.Time // of the judgement
	// Problem says in words why the labels cannot be judged.
	Problem string
}

// The codes of a verdict, with the fields that are set with each.
const (
	notDangling    = "not-dangling"      // none
	ageUnknown     = "age-unknown"       // Filter
	inFuture       = "in-future"         // Filter, Born
	younger        = "younger"           // than an age: Filter, Born
	newer          = "newer"             // than a time: Filter, Born
	notBefore      = "not-before"        // Filter, Born
	notSince       = "not-since"         // Filter, Born
	nameExcluded   = "name-excluded"     // Filter, Name
	nameNotMatched = "name-not-matched"  // Filter
	nameBeside     = "other-name"        // not matched as well: Filter, Name
	labelsUnknown  = "labels-unreadable" // Filter, Problem
	labelExcluded  = "label-excluded"    // Filter, Label
	labelMissing   = "label-missing"     // Filter
)

// Reason says why the subject does not match: the filter and the fact. It is
// safe to print on a terminal, and empty for a match.
func (v Verdict) Reason() string {
	filter := "filter " + show(v.Filter) + ": "
	switch v.Code {
	case notDangling:
		return "not dangling"
	case ageUnknown:
		return filter + "its age cannot be read"
	case inFuture:
		return filter + "its time " + v.Born.UTC().Format(time.RFC3339) + " is in the future"
	case younger, newer:
		return v.Code + " than " + v.limit() + " (" + roughAge(v.now.Sub(v.Born)) + " old)"
	case notBefore:
		return filter + "it is not older than that image"
	case notSince:
		return filter + "it is not newer than that image"
	case nameExcluded:
		return filter + "it has the name " + show(v.Name)
	case nameNotMatched:
		return "not matched by filter " + show(v.Filter)
	case nameBeside:
		return filter + "it also has the name " + show(v.Name)
	case labelsUnknown:
		return filter + sentence(v.Problem)
	case labelExcluded:
		return filter + "a platform has the label " + show(v.Label)
	case labelMissing:
		return filter + "no platform has the label"
	default:
		return ""
	}
}

// limit is the age or the time of an until filter.
func (v Verdict) limit() string { return v.Filter[len(keyUntil+"="):] }
