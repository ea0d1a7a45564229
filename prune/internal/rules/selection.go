package rules

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// PlanSchema is the version of the plan document that [ParseSelection] reads.
const PlanSchema = 1

// maxPlanFile bounds what is read of a plan file: some hundred thousand
// records.
const maxPlanFile = 256 << 20

// Selection is what a plan file allows to be removed: exactly its records, as
// they were when the plan was made.
type Selection struct {
	// other is why a record that it does not name stays.
	other    cause.Code
	Store    string
	anyStore bool
	prefixes []string
	Records  map[[2]string]selected
	spaces   []string
	// made is the policy by which the decisions were made, nil if it is not known.
	made *Policy
	// stay says of records why they are not in it, where that is known better than
	// by other.
	stay map[[2]string]cause.Cause
	// narrowed says that it is a choice of what a policy lets go, and not a file.
	narrowed bool
}

type selected struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Target    digest.Digest `json:"target"`
	Action    Action        `json:"action"`
	CreatedAt time.Time     `json:"createdAt"`
	UpdatedAt time.Time     `json:"updatedAt"`
}

// planFile is the part of a plan document that matters for doing it.
type planFile struct {
	SchemaVersion int             `json:"schemaVersion"`
	Kind          string          `json:"kind"`
	Store         store.StoreInfo `json:"store"`
	Policy        struct {
		DanglingPrefixes []string `json:"danglingPrefixes"`
	} `json:"policy"`
	Images []selected `json:"images"`
}

// ParseSelection reads a plan [Document] in JSON. The error is a *[PolicyError]
// if the text is not one.
func ParseSelection(r io.Reader) (*Selection, error) {
	var file planFile
	limited := &io.LimitedReader{R: r, N: maxPlanFile + 1}
	err := decodeWhole(limited, &file)
	switch {
	case limited.N == 0:
		return nil, &PolicyError{fmt.Sprintf("the plan file is larger than %d bytes", maxPlanFile)}
	case err != nil:
		return nil, &PolicyError{fmt.Sprintf("this is not a plan file: %v", err)}
	case file.Kind != "plan":
		return nil, &PolicyError{fmt.Sprintf("this is not a plan file: its kind is %q, not \"plan\"", file.Kind)}
	case file.SchemaVersion != PlanSchema:
		return nil, &PolicyError{fmt.Sprintf("the plan file has schema version %d, but only %d is supported: make it again with this version of ctr-prune", file.SchemaVersion, PlanSchema)}
	case file.Store.ID == "":
		return nil, &PolicyError{"the plan file does not say for which store it is"}
	case file.Images == nil:
		return nil, &PolicyError{"the plan file has no list of images"}
	}
	return newSelection(file)
}

// decodeWhole reads one JSON object and the end. Its errors name no types of Go.
func decodeWhole(r io.Reader, into any) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	err = strictjson.Unmarshal(text, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is truncated")
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is a JSON %s", cmp.Or(wrong.Field, "it"), wrong.Value)
	case errors.Is(err, strictjson.ErrTrailing):
		return errors.New("something follows the plan in it")
	}
	return err
}

func newSelection(file planFile) (*Selection, error) {
	s := &Selection{
		other: cause.CodeNotChosen, Store: file.Store.ID,
		prefixes: file.Policy.DanglingPrefixes, Records: make(map[[2]string]selected),
	}
	for _, record := range file.Images {
		switch record.Action {
		case Keep:
			continue
		case Remove, StandIn:
		default:
			return nil, &PolicyError{fmt.Sprintf("the plan file has an unknown action %q for image %q", record.Action, record.Name)}
		}
		if err := record.Target.Validate(); err != nil {
			return nil, &PolicyError{fmt.Sprintf("the plan file has no valid target for image %q: %v", record.Name, err)}
		}
		s.Records[[2]string{record.Namespace, record.Name}] = record
		if !slices.Contains(s.spaces, record.Namespace) {
			s.spaces = append(s.spaces, record.Namespace)
		}
	}
	return s, nil
}

// SelectionOf allows what goes by some decisions, in the store that they are
// about. All other records stay, and what belongs to them: a plan by it says
// what becomes of these if not all of the decisions can be done. made is the
// policy by which they were decided, nil if it is not known.
func SelectionOf(made *Policy, decisions ...[]Decision) *Selection {
	s := &Selection{other: cause.CodeNotPlanned, anyStore: true, made: made, Records: make(map[[2]string]selected)}
	for _, d := range slices.Concat(decisions...) {
		if d.Gone() {
			s.Records[d.Key()] = selected{
				Namespace: d.Namespace, Name: d.Name, Target: d.Target.Digest, Action: d.Action,
				CreatedAt: d.Image.CreatedAt, UpdatedAt: d.Image.UpdatedAt,
			}
		}
	}
	return s
}

// Picked allows just what a person has picked of the decisions about a store, as a
// plan file with these would. made is the policy by which they were decided: what stays
// by it, and what only may, is judged as it was then.
func Picked(store string, made Policy, decisions []Decision) *Selection {
	s := SelectionOf(&made, decisions)
	s.anyStore, s.Store, s.prefixes = false, store, made.DanglingPrefixes
	for i := range decisions {
		if !slices.Contains(s.spaces, decisions[i].Namespace) {
			s.spaces = append(s.spaces, decisions[i].Namespace)
		}
	}
	return s
}

// Narrow returns the policy that removes of what it lets go only the given
// decisions, and says of the other records why they stay.
func (p Policy) Narrow(stay map[[2]string]cause.Cause, going []Decision) Policy {
	made := p
	p.Selection = SelectionOf(&made, going)
	p.Selection.stay, p.Selection.narrowed = stay, true
	return p
}

// Widened returns the policy that was narrowed, with what it lets go.
func (p Policy) Widened() Policy {
	if s := p.Selection; s != nil && s.narrowed {
		return *s.made
	}
	return p
}

// FromFile says whether the selection was read from a plan file.
func (s *Selection) FromFile() bool { return s != nil && !s.narrowed }

// Has says whether the selection names a record.
func (s *Selection) Has(d Decision) bool {
	_, ok := s.Records[d.Key()]
	return ok
}

// Policy returns the policy that removes the selection and nothing else.
// Everything that protects a record still does.
func (s *Selection) Policy() Policy {
	return Policy{Namespaces: s.spaces, MissingOK: true, Filters: filters.Everything(), DanglingPrefixes: s.prefixes, Selection: s}
}

// reject says why a record is not of the selection, if it is not.
func (s *Selection) reject(d Decision) cause.Cause {
	record, ok := s.Records[d.Key()]
	switch {
	case !ok && s.stay[d.Key()].Given():
		return s.stay[d.Key()]
	case !ok:
		return cause.Plainly(s.other)
	case record.Target != d.Target.Digest:
		return cause.Plainly(cause.CodeMoved)
	case !record.UpdatedAt.Equal(d.Image.UpdatedAt) || !record.CreatedAt.Equal(d.Image.CreatedAt):
		return cause.Plainly(cause.CodeRewritten)
	default:
		return cause.Cause{}
	}
}

// Missing lists the records of the selection that the inventory does not have
// any more, sorted.
func (s *Selection) Missing(inv *inventory.Inventory) []inventory.Record {
	present := make(map[[2]string]bool)
	for _, ns := range inv.Namespaces {
		for _, image := range ns.Images {
			present[[2]string{ns.Name, image.Name}] = true
		}
	}
	var gone []inventory.Record
	for key, record := range s.Records {
		if !present[key] {
			gone = append(gone, inventory.Record{Namespace: record.Namespace, Name: record.Name, Target: record.Target})
		}
	}
	slices.SortFunc(gone, inventory.CompareRecords)
	return gone
}
