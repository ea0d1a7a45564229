package prune

import (
	"strings"
	"time"
)

// release is a containerd version, as far as it gates the collector's rules.
type release struct{ major, minor int }

func (v release) atLeast(w release) bool {
	return v.major > w.major || v.major == w.major && v.minor >= w.minor
}

// labelRule is one way in which a label makes an edge or a root. The table
// of rules repeats containerd's core/metadata/gc.go, which is more complete
// than its documentation.
type labelRule struct {
	// key is the label's key. A rule for content, images or containers takes
	// key itself or key followed by '.' or '/' and anything; a rule for
	// snapshots takes key, the snapshotter's name, and anything after a '/'.
	key string
	// to is the kind of object that the label's value names.
	to kind
	// how the edge goes.
	how direction
	// since is the first version whose collector knows the rule.
	since release
}

type direction uint8

const (
	forward     direction = iota // from the labelled object
	backward                     // from the named object to the labelled one
	conditional                  // as forward, but only while a condition holds
	rooted                       // the labelled object lives
)

var labelRules = []labelRule{
	{key: "containerd.io/gc.ref.content", to: kindContent},
	{key: "containerd.io/gc.ref.snapshot.", to: kindSnapshot},
	{key: labelImageRef, to: kindImage, since: release{2, 0}},
	{key: "containerd.io/gc.bref.content", to: kindContent, how: backward, since: release{2, 2}},
	{key: "containerd.io/gc.bref.snapshot.", to: kindSnapshot, how: backward, since: release{2, 2}},
	{key: "containerd.io/gc.bref.image", to: kindImage, how: backward, since: release{2, 2}},
	{key: "containerd.io/gc.bref.container", to: kindContainer, how: backward, since: release{2, 2}},
	{key: "containerd.io/gc.cond.snapshot", to: kindSnapshot, how: conditional, since: release{2, 3}},
	{key: labelRoot, how: rooted},
}

const (
	labelPrefix   = "containerd.io/gc."
	labelExpire   = "containerd.io/gc.expire"
	labelRoot     = "containerd.io/gc.root"
	labelImageRef = "containerd.io/gc.ref.image"
	labelUsedAt   = "containerd.io/gc.cond.value-usedat"
	condUsedAt    = "usedat"
	ingestExpiry  = 24 * time.Hour // containerd gives an unleased ingest a day from its start
)

// Versions in which the collector changed in other ways than by a new label.
var (
	imagesAreNodes = release{2, 0} // image records expire, and leases can hold them
)

// ref is what a label says: how it goes, and which object its value names.
type ref struct {
	how direction
	to  node
	// condition is the part of a conditional label's value before the key.
	condition string
}

// parseRef reads one label of an object in namespace ns; ok is false if the
// label means nothing to the collector of that version.
func parseRef(v release, ns, key, value string) (r ref, ok bool) {
	if !strings.HasPrefix(key, labelPrefix) {
		return ref{}, false
	}
	for _, rule := range labelRules {
		rest, found := strings.CutPrefix(key, rule.key)
		if !found || !v.atLeast(rule.since) {
			continue
		}
		return rule.parse(ns, rest, value)
	}
	return ref{}, false
}

func (rule labelRule) parse(ns, rest, value string) (ref, bool) {
	r := ref{how: rule.how, to: node{kind: rule.to, ns: ns, key: value}}
	if rule.how == rooted {
		return r, true
	}
	if rule.how == conditional {
		condition, key, ok := strings.Cut(value, "|")
		if !ok {
			return ref{}, false
		}
		r.condition, r.to.key = condition, key
		rest = strings.TrimLeft(rest, "./")
	}
	if rule.to == kindSnapshot {
		snapshotter, _, _ := strings.Cut(rest, "/")
		r.to.key = snapshotter + "/" + r.to.key
		return r, true
	}
	return r, rest == "" || rest[0] == '.' || rest[0] == '/'
}

// holdsAt evaluates a condition list ("usedat<72h,…", any may hold) against
// the time at which the named snapshot was last used.
func holdsAt(condition string, usedAt, now time.Time) bool {
	for _, c := range strings.Split(condition, ",") {
		i := strings.IndexAny(c, "!<>=")
		if i < 0 || c[:i] != condUsedAt {
			continue
		}
		limit, err := time.ParseDuration(c[i+1:])
		if err != nil {
			continue // containerd skips it too; "<=" ends here as well
		}
		age := now.Sub(usedAt)
		if c[i] == '<' && age < limit || c[i] == '>' && age > limit {
			return true
		}
	}
	return false
}

// parseVersion reads what a containerd reports as its version. One that tells
// nothing, such as a build without a version, counts as the newest: the newest
// collector knows the most edges.
func parseVersion(s string) release {
	s = strings.TrimPrefix(s, "v")
	majorText, rest, _ := strings.Cut(s, ".")
	minorText, _, _ := strings.Cut(rest, ".")
	major, okMajor := leadingInt(majorText)
	minor, okMinor := leadingInt(minorText)
	if !okMajor || !okMinor || major == 0 {
		return release{1 << 30, 0}
	}
	return release{major, minor}
}

func leadingInt(s string) (n int, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n, ok = 10*n+int(c-'0'), true
	}
	return n, ok
}
