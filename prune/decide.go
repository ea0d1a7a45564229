package prune

import (
	"cmp"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/filters"
)

const (
	labelPinned = "io.cri-containerd.pinned"
	valuePinned = "pinned"
	labelKeep   = "ctr-prune/keep"
)

// judge decides about the records of one namespace.
type judge struct {
	view
	policy       Policy
	now          time.Time
	version      release
	snapshotters []string
	whole        bool // units go whole or stay whole
	// leased are the records that live leases hold, with one such lease.
	leased   map[string]string
	ties     *ties
	verdicts map[string]*verdict
	// order are the units by the names of their first records.
	order []*unit
	// subjects are for units that are about others the first of these; ringed
	// are the units that belong to themselves in the end.
	subjects map[*unit]*unit
	ringed   map[*unit]bool
	// wholes are what filters see of a unit where units go whole, pins why a
	// unit is pinned.
	wholes map[*unit]filters.Subject
	pins   map[*unit]Cause
}

// verdict is the decision about a record while it is being made.
type verdict struct {
	Decision
	// firm verdicts stay, whatever the record belongs to.
	firm bool
	// doomed records are gone after any collection.
	doomed bool
}

// view is a namespace as decisions about it see it.
type view struct {
	*catalog
	usage usage
}

func newView(ns *Namespace, store StoreInfo) view {
	c := newCatalog(ns, parseVersion(store.Version))
	return view{catalog: c, usage: resolve(c, ns.Uses)}
}

// decide gives every record of a namespace an action and a reason.
func decide(v view, policy Policy, store StoreInfo, now time.Time) []Decision {
	ns := v.ns
	j := &judge{
		view: v, policy: policy, now: now,
		version:      parseVersion(store.Version),
		snapshotters: store.Snapshotters,
		whole:        ns.Name == criNamespace,
		leased:       leased(ns, parseVersion(store.Version), now),
		ties:         newTies(ns, store, policy.run, now),
		verdicts:     make(map[string]*verdict, len(ns.Images)),
		wholes:       make(map[*unit]filters.Subject),
		pins:         make(map[*unit]Cause),
	}
	for i := range ns.Images {
		image := &ns.Images[i]
		u := j.units[image.Target.Digest]
		if u.records[0].Name == image.Name {
			j.order = append(j.order, u)
		}
		j.verdicts[image.Name] = j.alone(u, image)
	}
	j.follow()
	for _, u := range j.order {
		if j.whole {
			j.keepWhole(u)
		} else {
			j.keepLast(u)
		}
	}
	decisions := make([]Decision, len(ns.Images))
	for i, image := range ns.Images {
		decisions[i] = j.verdicts[image.Name].Decision
		decisions[i].Cause = decisions[i].told()
	}
	return decisions
}

// alone decides about a record by its own uses, labels and filters.
func (j *judge) alone(u *unit, record *images.Image) *verdict {
	if j.ties.doomed(record) {
		return j.expired(u, record)
	}
	if why := j.protected(u, record); why.given() {
		return j.verdict(record, Keep, why, true)
	}
	v := j.verdict(record, Remove, Cause{ReasonCode: codeUnused}, false)
	// Before the filters: what is not of the selection stays, also where its
	// subject goes.
	if s := j.policy.selection; s != nil {
		if why := s.reject(v.Decision); why.given() {
			return j.verdict(record, Keep, why, true)
		}
	}
	sub := j.subject(u, record)
	if match := j.policy.Filters.Match(sub, j.now); !match.Match {
		return j.verdict(record, Keep, unmatched(match), false)
	}
	if sub.Dangling {
		v.ReasonCode = codeDangling
	}
	return v
}

// expired decides about a record that any garbage collection removes. Outside
// of k8s.io a stand-in can take its place. Where it must stay it is said to: a
// plan is not executed whose collection would break that.
func (j *judge) expired(u *unit, record *images.Image) *verdict {
	shut := closed(j.ns).given()
	why := cmp.Or(labelledRoot(record), j.pinned(u))
	if holders := j.usage.holders(u.target); !why.given() && !shut && j.whole && len(holders) > 0 {
		why = usedBy(codeInUse, holders)
	}
	if why.given() {
		return j.verdict(record, Keep, why, true)
	}
	v := j.verdict(record, Remove, Cause{ReasonCode: codeExpired}, false)
	v.doomed, v.collected = true, shut
	return v
}

func (j *judge) verdict(record *images.Image, action Action, why Cause, firm bool) *verdict {
	return &verdict{firm: firm, Decision: Decision{
		Namespace: j.ns.Name, Name: record.Name, Target: record.Target, Action: action, Cause: why, image: record,
	}}
}

// protected says what keeps a record whatever the filters say, if anything does.
func (j *judge) protected(u *unit, record *images.Image) Cause {
	if why := closed(j.ns); why.given() {
		return why
	}
	if holders := j.usage.names[record.Name]; len(holders) > 0 {
		return usedBy(codeInUse, holders)
	}
	if id, ok := j.leased[record.Name]; ok {
		return because(codeLeaseHolds, parts{Lease: id})
	}
	if why := j.referred(record); why.given() {
		return why
	}
	if why := cmp.Or(labelledRoot(record), j.pinned(u)); why.given() {
		return why
	}
	if why, ok := j.ns.Unreadable[u.target]; ok {
		return because(codeUnreadable, parts{Detail: why})
	}
	holders := j.usage.holders(u.target)
	if len(holders) == 0 {
		return Cause{}
	}
	if j.whole || j.usage.begun[u.target] {
		return usedBy(codeInUse, holders)
	}
	if j.dangling(record) {
		return usedBy(codeStandsIn, holders)
	}
	return Cause{}
}

// referred says which root refers to a record by a label of the collector.
func (j *judge) referred(record *images.Image) Cause {
	if j.ties == nil {
		return Cause{}
	}
	root, ok := j.ties.referred[record.Name]
	if !ok {
		return Cause{}
	}
	k := j.ties.c.keeper(root).in(j.ns.Name)
	return because(codeReferredBy, parts{Keeper: &k})
}

// labelledRoot says that a record itself is labelled as a root. The collector has no
// use for the label there; who sets it wants the record kept.
func labelledRoot(record *images.Image) Cause {
	if key := rootLabel(record); key != "" {
		return because(codeRootLabel, parts{Label: key})
	}
	return Cause{}
}

func (j *judge) dangling(record *images.Image) bool {
	_, probe := record.Labels[labelProbe]
	return probe || dangling(record.Name, j.snapshotters, j.policy.DanglingPrefixes)
}

// pinned says which label pins a unit, and on which record.
func pinned(u *unit) Cause {
	for _, record := range u.records {
		if record.Labels[labelPinned] == valuePinned {
			return because(codePinned, parts{Label: labelPinned + "=" + valuePinned, Image: record.Name})
		}
		if _, ok := record.Labels[labelKeep]; ok {
			return because(codePinned, parts{Label: labelKeep, Image: record.Name})
		}
	}
	return Cause{}
}

// pinned says that of each unit, once: units may have many names.
func (j *judge) pinned(u *unit) Cause {
	why, known := j.pins[u]
	if !known {
		why = pinned(u)
		j.pins[u] = why
	}
	return why
}

// subject is what filters see: the record, or where units go whole the unit.
func (j *judge) subject(u *unit, record *images.Image) filters.Subject {
	if !j.whole {
		return j.subjectOf(u, []*images.Image{record})
	}
	sub, known := j.wholes[u]
	if !known {
		there := slices.DeleteFunc(slices.Clone(u.records), j.ties.doomed)
		sub = j.subjectOf(u, slices.Concat(there, j.ns.went[u.target]))
		j.wholes[u] = sub
	}
	return sub
}

func (j *judge) subjectOf(u *unit, records []*images.Image) filters.Subject {
	config := j.ns.Configs[u.target]
	sub := filters.Subject{Dangling: true, Labels: config.Labels, LabelsErr: config.Problem}
	nameless := false
	for i, record := range records {
		sub.Names = append(sub.Names, record.Name)
		dangles := j.dangling(record)
		nameless = nameless || dangles
		sub.Dangling = sub.Dangling && (dangles || criRecordOfID(record))
		born := j.born(record)
		if i == 0 || born.IsZero() || !sub.Born.IsZero() && born.After(sub.Born) {
			sub.Born = born
		}
	}
	sub.Dangling = sub.Dangling && nameless
	return sub
}

// born is the newest of the record's own times and of the time at which its
// target was committed to the store: a re-pull keeps the first, and a build
// can forge both of the record's. Zero if one cannot be read.
func (j *judge) born(record *images.Image) time.Time {
	blob, ok := j.ns.Blobs[record.Target.Digest]
	times := []time.Time{record.CreatedAt, record.UpdatedAt, blob.CreatedAt}
	if !ok || slices.ContainsFunc(times, time.Time.IsZero) {
		return time.Time{}
	}
	return slices.MaxFunc(times, time.Time.Compare)
}
