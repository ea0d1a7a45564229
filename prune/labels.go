package prune

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// labelIndex is what the labels of a store say, read once for all marks.
type labelIndex struct {
	// links are the edges that start at the labelled object.
	links map[node][]node
	// back are the edges that start at an object which does not know of them.
	back map[node][]node
	// conditions are edges that start at the labelled object, as links, for
	// the labels whose condition holds.
	conditions map[node][]node
	// roots are the objects that are labelled as roots.
	roots []node
}

// pending is a conditional edge, to be judged when all labels are known.
type pending struct {
	from node
	ref  ref
}

func (c *collector) indexLabels() labelIndex {
	idx := labelIndex{links: make(map[node][]node), back: make(map[node][]node), conditions: make(map[node][]node)}
	usedAt := make(map[node][]time.Time)
	var conditions []pending
	index := func(n node, labels map[string]string) {
		conditions = append(conditions, idx.add(c.version, n, labels)...)
	}
	for _, s := range c.order {
		for dgst, blob := range s.Blobs {
			index(node{kind: kindContent, ns: s.Name, key: dgst.String()}, blob.Labels)
		}
		for key, snapshot := range s.Snapshots {
			if len(snapshot.Labels) == 0 {
				continue
			}
			n := node{kind: kindSnapshot, ns: s.Name, key: key.String()}
			index(n, snapshot.Labels)
			if times := usedTimes(snapshot.Labels); len(times) > 0 {
				usedAt[n] = times
			}
		}
		for _, container := range s.Containers {
			index(node{kind: kindContainer, ns: s.Name, key: container.ID}, container.Labels)
		}
		for _, sandbox := range s.Sandboxes {
			index(node{kind: kindSandbox, ns: s.Name, key: sandbox.ID}, sandbox.Labels)
		}
		for _, image := range s.Images {
			index(node{kind: kindImage, ns: s.Name, key: image.Name}, image.Labels)
		}
	}
	for _, p := range conditions {
		for _, at := range usedAt[p.ref.to] {
			if holdsAt(p.ref.condition, at, c.now) {
				idx.conditions[p.from] = append(idx.conditions[p.from], p.ref.to)
				break
			}
		}
	}
	// What is few is sorted here, instead of all objects before.
	for _, to := range idx.back {
		slices.SortFunc(to, compareNodes)
	}
	slices.SortFunc(idx.roots, compareNodes)
	return idx
}

// add files the labels of one object. It returns the conditional ones.
func (idx *labelIndex) add(v release, n node, labels map[string]string) (conditions []pending) {
	for _, key := range gcKeys(labels) {
		r, ok := parseRef(v, n.ns, key, labels[key])
		if !ok {
			continue
		}
		switch r.how {
		case forward:
			idx.links[n] = append(idx.links[n], r.to)
		case backward:
			// The collector does not look for one on a sandbox or a live
			// record. It makes no difference: those are roots already.
			idx.back[r.to] = append(idx.back[r.to], n)
		case conditional:
			if n.kind == kindContent || n.kind == kindImage {
				conditions = append(conditions, pending{from: n, ref: r})
			}
		case rooted:
			if n.kind == kindContent || n.kind == kindSnapshot {
				idx.roots = append(idx.roots, n)
			}
		}
	}
	return conditions
}

// gcKeys returns the keys that may mean something to the collector, sorted.
func gcKeys(labels map[string]string) []string {
	var keys []string
	for key := range labels {
		if strings.HasPrefix(key, labelPrefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func usedTimes(labels map[string]string) []time.Time {
	var times []time.Time
	for key, value := range labels {
		if at, err := time.Parse(time.RFC3339, value); err == nil && strings.HasPrefix(key, labelUsedAt) {
			times = append(times, at)
		}
	}
	return times
}

func compareSnapshotKeys(a, b SnapshotKey) int {
	return cmp.Or(cmp.Compare(a.Snapshotter, b.Snapshotter), cmp.Compare(a.Key, b.Key))
}

func compareNodes(a, b node) int {
	return cmp.Or(cmp.Compare(a.ns, b.ns), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

func sortedNodes[V any](m map[node]V) []node {
	return slices.SortedFunc(maps.Keys(m), compareNodes)
}
