package cause

import (
	"errors"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Code identifies a reason, a holder or a problem for programs. Codes are
// stable, while the sentences beside them may be reworded. docs/json.md lists
// all codes.
type Code string

// Cause is why something is kept or removed, or why nothing can be done: a
// code, its parts, and a sentence made of them.
type Cause struct {
	// Reason is the sentence for people, made of the other two.
	Reason     string `json:"reason"`
	ReasonCode Code   `json:"reasonCode"`
	// ReasonParts are what the sentence names; nil if it names nothing.
	ReasonParts *Parts `json:"reasonParts,omitempty"`
}

// Keeper is what keeps an object from being reclaimed.
type Keeper struct {
	// Holder describes it to people, HeldBy is its name, and HolderParts are
	// what else the description names.
	Holder      string       `json:"holder,omitempty"`
	HolderCode  Code         `json:"holderCode,omitempty"`
	HeldBy      graph.Object `json:"heldBy,omitzero"`
	HolderParts *Parts       `json:"holderParts,omitempty"`
}

// Parts are the objects, times and values that a sentence names. Which of them
// a code has is written in docs/json.md.
type Parts struct {
	// Users are those who use the image, of many only the first, and More how
	// many there are besides.
	Users []User `json:"users,omitempty"`
	More  int    `json:"more,omitempty"`
	// Keeper is what holds an object or refers to it.
	*Keeper
	// Image is the name of another record, Target what a name points at.
	Image  string        `json:"image,omitempty"`
	Target digest.Digest `json:"target,omitempty"`
	// Namespace is that of the image, upload or snapshot, where it is not said
	// beside the cause; Snapshot is one, as "snapshotter/key".
	Namespace string `json:"namespace,omitempty"`
	Snapshot  string `json:"snapshot,omitempty"`
	// Label is the label that decided, as KEY or KEY=VALUE.
	Label string `json:"label,omitempty"`
	// Filter is the filter that decided, Name the name which it was about.
	Filter string `json:"filter,omitempty"`
	Name   string `json:"name,omitempty"`
	// Rule is the name of a policy's rule. Rank, of Ranked images in Repository,
	// is the place of an image, from 1 for the newest.
	Rule       string `json:"rule,omitempty"`
	Rank       int    `json:"rank,omitempty"`
	Ranked     int    `json:"ranked,omitempty"`
	Repository string `json:"repository,omitempty"`
	// Names are those that CRI has for an image.
	Names []string `json:"names,omitempty"`
	// Index says that no manifest of an index is complete, and the cause is that
	// of the first.
	Index bool `json:"index,omitempty"`
	// Blobs and Snapshots count objects.
	Blobs     int `json:"blobs,omitempty"`
	Snapshots int `json:"snapshots,omitempty"`
	// Path is a directory on a disk; Bytes, Inodes and Images are what is missing there,
	// and Shares who holds what is there.
	Path   string  `json:"path,omitempty"`
	Bytes  int64   `json:"bytes,omitempty"`
	Inodes int64   `json:"inodes,omitempty"`
	Images int     `json:"images,omitempty"`
	Shares []Share `json:"shares,omitempty"`
	// Objects are the snapshots that could not be measured.
	Objects []graph.Object `json:"objects,omitempty"`
	// Time is when an image was born, an upload was written, a record expired.
	Time time.Time `json:"time,omitzero"`
	// AgeSeconds is the age that was asked for.
	AgeSeconds int64 `json:"ageSeconds,omitempty"`
	// Lease is the ID of a lease, LeaseKind what it is for, Run the run of ours
	// that has it.
	Lease     string      `json:"lease,omitempty"`
	LeaseKind leases.Kind `json:"leaseKind,omitempty"`
	Run       string      `json:"run,omitempty"`
	// Command is another client's command that releases the object.
	Command string `json:"command,omitempty"`
	// Detail is what another program or the system said, in words.
	Detail string `json:"detail,omitempty"`
	// Because is why the other record stays.
	Because *Cause `json:"because,omitempty"`
}

// User is who uses an image.
type User struct {
	Holder
	// ByChain says that it does not name the image: its snapshot has the image
	// below it.
	ByChain bool `json:"byChain,omitempty"`
}

func (u User) String() string {
	if u.ByChain && !u.IsSnapshot() { // one of these is nothing but based on it
		return u.Holder.String() + standsOn
	}
	return u.Holder.String()
}

// Given says whether there is a cause.
func (c Cause) Given() bool { return c.ReasonCode != "" }

// Told returns the cause with its sentence.
func (c Cause) Told() Cause {
	if c.Reason == "" && c.Given() {
		c.Reason = c.sentence()
	}
	return c
}

// Because is a cause with its sentence.
func Because(code Code, p Parts) Cause {
	return Cause{ReasonCode: code, ReasonParts: &p}.Told()
}

// Plainly returns a cause whose sentence names nothing.
func Plainly(code Code) Cause { return Cause{ReasonCode: code}.Told() }

// UsedBy is a cause with users: the first two, or of more than two the first.
func UsedBy(code Code, users []User) Cause {
	return Cause{ReasonCode: code, ReasonParts: &Parts{Users: someOf(users), More: len(users) - len(someOf(users))}}
}

// PartsBecause are the parts of what has a cause and names nothing else.
func PartsBecause(c Cause) *Parts { return &Parts{Because: &c} }

// someOf are those of several users that are named.
func someOf(users []User) []User {
	if len(users) <= 2 {
		return users
	}
	return users[:1:1]
}

// CodeLabelMissing is the code of a filter by which a label is asked for.
const CodeLabelMissing Code = "label-missing"

// Unmatched is why a filter keeps a record, in the filter's words.
func Unmatched(v filters.Verdict) Cause {
	c := Cause{Reason: v.Reason(), ReasonCode: Code(v.Code)}
	if v.Filter != "" {
		c.ReasonParts = &Parts{Filter: v.Filter, Name: v.Name, Label: v.Label, Time: v.Born, Detail: v.Problem}
	}
	return c
}

// CodeError adds a code to an error, so that a program can tell its user what
// helps, for example which option to use.
type CodeError struct {
	Code Code
	Err  error
}

func (e *CodeError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *CodeError) Unwrap() error { return e.Err }

// CodeOf returns the code of an error, or "" if it has none.
func CodeOf(err error) Code {
	var coded *CodeError
	if errors.As(err, &coded) {
		return coded.Code
	}
	return ""
}

// ClientFailed is why nothing is removed from a namespace whose clients could
// not be asked.
func ClientFailed(err error) Cause {
	code := CodeOf(err)
	if _, known := Sentences[code]; !known {
		code = CodeClientFailed
	}
	return Because(code, Parts{Detail: err.Error()})
}

// standsOn ends the name of a user whose snapshot has the image below it.
const standsOn = ", whose snapshot is based on it"
