package lastuse

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// version is that of the file. What another wrote is not read.
const version = 1

// document is the file.
type document struct {
	Version int    `json:"version"`
	Store   string `json:"store"`
	// Since and Until are between what use was watched without a gap.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Boot, Up and Ran are when Until was by the machine's own clocks, as in Moment.
	Boot string        `json:"boot,omitempty"`
	Up   time.Duration `json:"up,omitempty"`
	Ran  time.Duration `json:"ran,omitempty"`
	// Look is the last look at the store.
	Look    time.Time `json:"look,omitzero"`
	Targets []target  `json:"targets"`
}

type target struct {
	Namespace string        `json:"namespace"`
	Digest    digest.Digest `json:"digest"`
	Used      time.Time     `json:"used,omitzero"`
	By        string        `json:"by,omitempty"`
	Seen      time.Time     `json:"seen"`
	Gone      time.Time     `json:"gone,omitzero"`
}

// encode writes what is known of a store.
func (l *Log) encode(store string) ([]byte, error) {
	d := document{
		Version: version, Store: store, Since: l.since.UTC(), Until: l.until.Wall.UTC(),
		Boot: l.until.Boot, Up: l.until.Up, Ran: l.until.Ran, Look: l.look.UTC(), Targets: make([]target, 0, len(l.targets)),
	}
	keys := slices.SortedFunc(maps.Keys(l.targets), func(a, b Key) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Target.String(), b.Target.String()))
	})
	for _, k := range keys {
		e := l.targets[k]
		d.Targets = append(d.Targets, target{k.Namespace, k.Target, e.At.UTC(), e.By, e.seen.UTC(), e.gone.UTC()})
	}
	return json.Marshal(d)
}

// decode reads what was written of a store.
func decode(text []byte, store string) (*Log, error) {
	var d document
	if err := strictjson.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	switch {
	case d.Version != version:
		return nil, fmt.Errorf("it has version %d, and this program knows version %d", d.Version, version)
	case d.Store != store:
		return nil, fmt.Errorf("it is of store %q", d.Store)
	case d.Since.IsZero() != d.Until.IsZero():
		return nil, errors.New("it does not say from when until when use was watched")
	}
	l := NewLog()
	l.since, l.until, l.look = d.Since, Moment{d.Until, d.Boot, d.Up, d.Ran}, d.Look
	for _, t := range d.Targets {
		k := Key{t.Namespace, t.Digest}
		if _, twice := l.targets[k]; twice || t.Digest.Validate() != nil {
			return nil, fmt.Errorf("its target %q of namespace %q is malformed or there twice", t.Digest, t.Namespace)
		}
		l.targets[k] = entry{Use: Use{t.Used, t.By}, seen: t.Seen, gone: t.Gone}
	}
	return l, nil
}
