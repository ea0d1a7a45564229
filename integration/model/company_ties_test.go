package model

import (
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune"
)

// collecting does what may collect, and notes the records that went with it, of
// which containerd tells as of those that somebody deletes.
func (m *machine) collecting(do func() error) error {
	if m.journal == nil {
		return do()
	}
	before := m.allRecords()
	if err := do(); err != nil {
		return err
	}
	after := m.allRecords()
	for key, was := range before {
		if _, there := after[key]; !there {
			m.tell(key.ns, key.name, was, images.Image{})
			m.journal.entries = append(m.journal.entries, entry{what: collected, ns: key.ns, name: key.name, image: was})
		}
	}
	return nil
}

func (m *machine) allRecords() map[recordKey]images.Image {
	m.t.Helper()
	all := map[recordKey]images.Image{}
	for _, ns := range m.namespaces(m.store) {
		for _, record := range m.records(ns) {
			all[recordKey{ns, record.Name}] = record
		}
	}
	return all
}

// mayCollect judges that a collection took a record. So it may what nothing led
// to, had the run removed nothing; what was to go with what the run removed; and
// what a client wrote when the run did not look any more before the collection.
func (c *company) mayCollect(is map[recordKey]images.Image, d prune.Decision, e entry, at int) {
	m := c.m
	m.t.Helper()
	if c.collectibleAt(is, e, at) {
		m.tally.add("records collected for clients", 1)
		return
	}
	written, touched := m.journal.last(theyWrite, e.ns, e.name, at)
	if d.Action == prune.Remove && !touched {
		m.tally.add("records collected with what went", 1)
		return
	}
	if touched && !m.journal.lookedBetween(e.ns, written, at) {
		m.tally.add("ties that the run had no time to see", 1)
		return
	}
	m.errorf("I14: %s in %s went with what the run removed, %s; the plan says %q of it: %s", e.name, e.ns, recordOf(e.image), d.Action, d.Reason)
}

// lookedBetween says whether the run looked, between two places, for what has to
// be put back in a namespace, and did it: then it lists containers once more.
func (j *journal) lookedBetween(ns string, from, to int) bool {
	listed, _ := j.last(itUsers, ns, "", to)
	return slices.ContainsFunc(j.looks(), func(l look) bool {
		return l.again && l.images[ns] > from && l.users[ns] > 0 && l.users[ns] < listed
	})
}

// collectibleAt says whether a collection takes a record even with all there
// that the run has removed until then.
func (c *company) collectibleAt(is map[recordKey]images.Image, e entry, at int) bool {
	was := copyOf(c.before)
	if len(c.m.seen) > 0 {
		was = copyOf(c.m.seen[len(c.m.seen)-1])
	}
	if was.Namespaces[e.ns] == nil {
		return true
	}
	records := map[string]images.Image{}
	for key, image := range is {
		if key.ns == e.ns {
			records[key.name] = image
		}
	}
	for _, earlier := range c.m.journal.entries[:at] {
		if _, taken := records[earlier.name]; earlier.ns == e.ns && earlier.what == itDeletes && !taken {
			records[earlier.name] = earlier.image
		}
	}
	was.Namespaces[e.ns].Images = records
	return slices.Contains(was.Collectible()[e.ns], e.name)
}

// guestWait is the time that passes while a run does, up to what ends soon.
func (m *machine) guestWait(*prune.Plan) *guest {
	return &guest{name: waits, parts: []func() bool{func() bool {
		time.Sleep(31 * time.Minute)
		return true
	}}}
}

// waits is what only one guest does: a run has an hour.
const waits = "lets time pass"

// guestTie gives a record an end and what it hangs on, mostly one that the run
// is to remove.
func (m *machine) guestTie(draft *prune.Plan) *guest {
	ns, record, ok := m.prey(draft)
	to, hold, tied := m.prey(draft)
	return &guest{name: "ties", parts: []func() bool{func() bool {
		was, err := m.store.Images().Get(inNamespace(m.ctx, ns), record.Name)
		if !ok || !tied || !m.tied || to != ns || err != nil {
			return false
		}
		m.label(ns, record.Name, map[string]string{gcExpire: rfc(time.Now()), gcBref + "image": hold.Name})
		now, err := m.store.Images().Get(inNamespace(m.ctx, ns), record.Name)
		m.must(err)
		m.wrote(ns, record.Name, was, now)
		return true
	}}}
}
