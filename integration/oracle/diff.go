package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Changes are the differences of two states, each as "namespace kind key" in
// order: for asserting that nothing else was touched.
type Changes struct {
	Added, Removed []string
	// Changed are records with another target and objects with other labels.
	Changed []string
}

// Diff compares two states of a store.
func Diff(before, after *State) Changes {
	was, is := before.flatten(), after.flatten()
	var c Changes
	for _, key := range slices.Sorted(maps.Keys(was)) {
		now, ok := is[key]
		if !ok {
			c.Removed = append(c.Removed, key)
		} else if now != was[key] {
			c.Changed = append(c.Changed, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[key]; !ok {
			c.Added = append(c.Added, key)
		}
	}
	return c
}

// Differences says in what two states of a store are not the same, "" if in
// nothing: the objects, and the files of blobs, whether a record knows them or
// not.
func Differences(before, after *State) string {
	c := Diff(before, after)
	var b strings.Builder
	for _, d := range []struct {
		what string
		keys []string
	}{{"gone", c.Removed}, {"new", c.Added}, {"changed", c.Changed}, {"other file", otherFiles(before, after)}} {
		for _, key := range d.keys {
			fmt.Fprintf(&b, "%s: %s\n", d.what, key)
		}
	}
	return b.String()
}

// otherFiles lists the blobs whose file is in only one of two states, or has
// another size.
func otherFiles(before, after *State) (others []string) {
	note := func(d digest.Digest) { others = append(others, d.String()) }
	for d, size := range before.Files {
		if now, there := after.Files[d]; !there || now != size {
			note(d)
		}
	}
	for d := range after.Files {
		if _, there := before.Files[d]; !there {
			note(d)
		}
	}
	slices.Sort(others)
	return others
}

// flatten gives each object a name and a text of what may change in it. fmt
// prints maps in the order of their keys.
func (s *State) flatten() map[string]string {
	out := map[string]string{}
	for name, ns := range s.Namespaces {
		put := func(kind string, key any, value ...any) {
			out[fmt.Sprintf("%s %s %v", name, kind, key)] = fmt.Sprint(value...)
		}
		for k, v := range ns.Images {
			put("image", k, v.Target.Digest, v.Labels)
		}
		for k, v := range ns.Containers {
			put("container", k, v.Image, v.SnapshotKey, v.Labels)
		}
		for k, v := range ns.Leases {
			put("lease", k, v.Labels, v.Resources)
		}
		for k, v := range ns.Content {
			put("content", k, v.Labels)
		}
		for k := range ns.Ingests {
			put("ingest", k)
		}
		for k, v := range ns.Snapshots {
			put("snapshot", k, v.Parent, v.Labels)
		}
	}
	return out
}
