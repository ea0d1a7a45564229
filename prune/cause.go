package prune

import (
	"errors"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
)

// Code names a reason, a holder, or what is wrong, for programs. It is stable:
// the sentence beside it may be worded anew. docs/json.md lists all codes.
type Code string

// Cause is why something stays or goes, or why nothing can be done.
type Cause struct {
	// Reason is the sentence for people, made of the other two.
	Reason     string `json:"reason"`
	ReasonCode Code   `json:"reasonCode"`
	// ReasonParts are what the sentence names; nil if it names nothing.
	ReasonParts *parts `json:"reasonParts,omitempty"`
}

// Keeper is what keeps an object from being reclaimed.
type Keeper struct {
	// Holder describes it to people, HeldBy is its name, and HolderParts are
	// what else the description names.
	Holder      string `json:"holder,omitempty"`
	HolderCode  Code   `json:"holderCode,omitempty"`
	HeldBy      Object `json:"heldBy,omitzero"`
	HolderParts *parts `json:"holderParts,omitempty"`
}

// parts are the objects, times and values that a sentence names. Which of them
// a code has is written in docs/json.md.
type parts struct {
	// Users are those who use the image, of many only the first, and More how
	// many there are besides.
	Users []user `json:"users,omitempty"`
	More  int    `json:"more,omitempty"`
	// Keeper is what holds an object or refers to it.
	*Keeper
	// Image is the name of another record, Target what a name points at.
	Image  string        `json:"image,omitempty"`
	Target digest.Digest `json:"target,omitempty"`
	// Label is the label that decided, as KEY or KEY=VALUE.
	Label string `json:"label,omitempty"`
	// Filter is the filter that decided, Name the name which it was about.
	Filter string `json:"filter,omitempty"`
	Name   string `json:"name,omitempty"`
	// Names are those that CRI has for an image.
	Names []string `json:"names,omitempty"`
	// Index says that no manifest of an index is complete, and the cause is that
	// of the first.
	Index bool `json:"index,omitempty"`
	// Blobs and Snapshots count objects.
	Blobs     int `json:"blobs,omitempty"`
	Snapshots int `json:"snapshots,omitempty"`
	// Time is when an image was born, an upload was written, a record expired.
	Time time.Time `json:"time,omitzero"`
	// AgeSeconds is the age that was asked for.
	AgeSeconds int64 `json:"ageSeconds,omitempty"`
	// Lease is the ID of a lease, LeaseKind what it is for, Run the run of ours
	// that has it.
	Lease     string      `json:"lease,omitempty"`
	LeaseKind leases.Kind `json:"leaseKind,omitempty"`
	Run       string      `json:"run,omitempty"`
	// Command is another client's command that lets go of the object.
	Command string `json:"command,omitempty"`
	// Detail is what another program or the system said, in words.
	Detail string `json:"detail,omitempty"`
	// Because is why the other record stays.
	Because *Cause `json:"because,omitempty"`
}

// user is who uses an image.
type user struct {
	Holder
	// ByChain says that it does not name the image: its snapshot has the image
	// below it.
	ByChain bool `json:"byChain,omitempty"`
}

func (u user) String() string {
	if u.ByChain {
		return u.Holder.String() + standsOn
	}
	return u.Holder.String()
}

// standsOn ends the name of a user whose snapshot has the image below it.
const standsOn = ", whose snapshot stands on it"

// given says whether there is a cause.
func (c Cause) given() bool { return c.ReasonCode != "" }

// told returns the cause with its sentence.
func (c Cause) told() Cause {
	if c.Reason == "" && c.given() {
		c.Reason = c.sentence()
	}
	return c
}

// because is a cause with its sentence.
func because(code Code, p parts) Cause {
	return Cause{ReasonCode: code, ReasonParts: &p}.told()
}

// plainly is a cause that names nothing, with its sentence.
func plainly(code Code) Cause { return Cause{ReasonCode: code}.told() }

// usedBy is a cause with users: the first two, or of more than two the first.
func usedBy(code Code, users []user) Cause {
	return Cause{ReasonCode: code, ReasonParts: &parts{Users: someOf(users), More: len(users) - len(someOf(users))}}
}

// partsBecause are the parts of what has a cause and names nothing else.
func partsBecause(c Cause) *parts { return &parts{Because: &c} }

// someOf are those of several users that are named.
func someOf(users []user) []user {
	if len(users) <= 2 {
		return users
	}
	return users[:1:1]
}

// unmatched is why a filter keeps a record, in the filter's words.
func unmatched(v filters.Verdict) Cause {
	c := Cause{Reason: v.Reason(), ReasonCode: Code(v.Code)}
	if v.Filter != "" {
		c.ReasonParts = &parts{Filter: v.Filter, Name: v.Name, Label: v.Label, Time: v.Born, Detail: v.Problem}
	}
	return c
}

// CodeError gives an error a code, by which a program can tell its user what
// helps: which option to give, for one.
type CodeError struct {
	Code Code
	Err  error
}

func (e *CodeError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *CodeError) Unwrap() error { return e.Err }

// CodeOf returns the code of an error, "" if it has none.
func CodeOf(err error) Code {
	var coded *CodeError
	if errors.As(err, &coded) {
		return coded.Code
	}
	return ""
}

// clientFailed is why a namespace is closed whose clients could not be asked.
func clientFailed(err error) Cause {
	code := CodeOf(err)
	if _, known := sentences[code]; !known {
		code = codeClientFailed
	}
	return because(code, parts{Detail: err.Error()})
}
