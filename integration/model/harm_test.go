package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// noHarm asks the oracle. The records that a killed run has removed count as
// being there before: what finishes that run drops what only they held, and
// has to put back what containers need, where it has finished it.
func (m *machine) noHarm(what string, before, after *oracle.State) {
	m.t.Helper()
	before = withoutCollectible(before)
	was := m.withKilled(before)
	users := *before
	if k := m.killed; k != nil && k.whole && !time.Now().After(k.until) {
		users.Documents, users.Namespaces = was.Documents, maps.Clone(before.Namespaces)
		left := interrupted(after)
		for _, ns := range interrupted(before) {
			if !slices.Contains(left, ns) {
				users.Namespaces[ns] = was.Namespaces[ns]
			}
		}
	}
	err := errors.Join(
		oracle.CheckComplete(was, after),
		oracle.CheckReachable(m.withReplaced(m.withKilled(before)), after, oracle.AllowOrphanedSnapshots()),
		oracle.CheckContainers(&users, after),
	)
	if err != nil {
		m.errorf("I1: %s did harm:\n%v", what, err)
	}
}

// withKilled adds the records that killed runs removed to a state, in a copy.
func (m *machine) withKilled(s *oracle.State) *oracle.State {
	all := *s
	all.Namespaces, all.Documents = map[string]*oracle.Namespace{}, maps.Clone(s.Documents)
	for name, ns := range s.Namespaces {
		joined := *ns
		joined.Images = maps.Clone(ns.Images)
		all.Namespaces[name] = &joined
	}
	if m.killed == nil {
		return &all
	}
	maps.Copy(all.Documents, m.killed.lost.Documents)
	for name, ns := range m.killed.lost.Namespaces {
		for image, record := range ns.Images {
			if joined := all.Namespaces[name]; joined != nil && joined.Images[image].Name == "" {
				joined.Images[image] = record
			}
		}
	}
	return &all
}

// withReplaced adds to a state what killed runs removed and whose names are
// those of other images by now.
func (m *machine) withReplaced(s *oracle.State) *oracle.State {
	if m.killed == nil {
		return s
	}
	for name, ns := range m.killed.lost.Namespaces {
		for image, record := range ns.Images {
			if now := s.Namespaces[name]; now != nil && now.Images[image].Target.Digest != record.Target.Digest {
				now.Images[image+" as it was"] = record
			}
		}
	}
	return s
}

func lostContent(before, after *oracle.State) (lost []string) {
	for ns, was := range before.Namespaces {
		for d := range was.Content {
			_, known := after.Namespaces[ns].Content[d]
			if _, file := after.Files[d]; !known || !file {
				lost = append(lost, fmt.Sprintf("blob %s of %s", d, ns))
			}
		}
	}
	return lost
}

func lostSnapshots(before, after *oracle.State) (lost []string) {
	for ns, was := range before.Namespaces {
		for key := range was.Snapshots {
			if _, there := after.Namespaces[ns].Snapshots[key]; !there {
				lost = append(lost, fmt.Sprintf("snapshot %s of %s", key, ns))
			}
		}
	}
	return lost
}
