package gc

import (
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Release is a containerd version, as far as it gates the collector's rules.
type Release struct{ Major, Minor int }

// AtLeast says whether v is the release w or a later one.
func (v Release) AtLeast(w Release) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// labelRule is one way in which a label makes an edge or a root. The table
// of rules repeats containerd's core/metadata/gc.go, which is more complete
// than its documentation.
type labelRule struct {
	// key is the label's key. A rule for content, images or containers takes
	// key itself or key followed by '.' or '/' and anything; a rule for
	// snapshots takes key, the snapshotter's name, and anything after a '/'. That
	// for roots takes key and whatever follows, before [anyEnding] key itself.
	key string
	// to is the kind of object that the label's value names.
	to graph.Kind
	// how the edge goes.
	how direction
	// since is the first version whose collector knows the rule.
	since Release
}

type direction uint8

// The ways in which a label makes an edge.
const (
	Forward     direction = iota // from the labelled object
	backward                     // from the named object to the labelled one
	conditional                  // as forward, but only while a condition holds
	rooted                       // the labelled object lives
)

var labelRules = []labelRule{
	{key: "containerd.io/gc.ref.content", to: graph.KindContent},
	{key: "containerd.io/gc.ref.snapshot.", to: graph.KindSnapshot},
	{key: LabelImageRef, to: graph.KindImage, since: Release{2, 0}},
	{key: "containerd.io/gc.bref.content", to: graph.KindContent, how: backward, since: Release{2, 2}},
	{key: "containerd.io/gc.bref.snapshot.", to: graph.KindSnapshot, how: backward, since: Release{2, 2}},
	{key: "containerd.io/gc.bref.image", to: graph.KindImage, how: backward, since: Release{2, 2}},
	{key: "containerd.io/gc.bref.container", to: graph.KindContainer, how: backward, since: Release{2, 2}},
	{key: "containerd.io/gc.cond.snapshot", to: graph.KindSnapshot, how: conditional, since: Release{2, 3}},
	{key: LabelRoot, how: rooted},
}

// The labels that the collector follows begin with LabelPrefix. These are looked at
// also apart from the table.
const (
	LabelPrefix   = "containerd.io/gc."
	LabelExpire   = leases.ExpireLabel
	LabelRoot     = store.RootLabel
	LabelImageRef = store.ImageLabel
	labelUsedAt   = "containerd.io/gc.cond.value-usedat"
	condUsedAt    = "usedat"
	IngestExpiry  = 24 * time.Hour // containerd gives an unleased ingest a day from its start
)

// Versions in which the collector changed in other ways than by a new label.
var (
	ImagesAreNodes = Release{2, 0} // image records expire, and leases can hold them
	anyEnding      = Release{2, 2} // a root label may have an ending
)

// Ref is what a label says: how it goes, and which object its value names.
type Ref struct {
	How direction
	To  graph.Node
	// condition is the part of a conditional label's value before the key.
	condition string
}

// ParseRef reads one label of an object in namespace ns; ok is false if the
// label means nothing to the collector of that version.
func ParseRef(v Release, ns, key, value string) (r Ref, ok bool) {
	if !strings.HasPrefix(key, LabelPrefix) {
		return Ref{}, false
	}
	for _, rule := range labelRules {
		rest, found := strings.CutPrefix(key, rule.key)
		if !found || !v.AtLeast(rule.since) {
			continue
		}
		if rule.how == rooted && rest != "" && !v.AtLeast(anyEnding) {
			return Ref{}, false
		}
		return rule.parse(ns, rest, value)
	}
	return Ref{}, false
}

func (rule labelRule) parse(ns, rest, value string) (Ref, bool) {
	r := Ref{How: rule.how, To: graph.Node{Kind: rule.to, Namespace: ns, Key: value}}
	if rule.how == rooted {
		return r, true
	}
	if rule.how == conditional {
		condition, key, ok := strings.Cut(value, "|")
		if !ok {
			return Ref{}, false
		}
		r.condition, r.To.Key = condition, key
		rest = strings.TrimLeft(rest, "./")
	}
	if rule.to == graph.KindSnapshot {
		snapshotter, _, _ := strings.Cut(rest, "/")
		r.To.Key = snapshotter + "/" + r.To.Key
		return r, true
	}
	return r, rest == "" || rest[0] == '.' || rest[0] == '/'
}

// HoldsAt evaluates a condition list ("usedat<72h,…", any may hold) against
// the time at which the named snapshot was last used.
func HoldsAt(condition string, usedAt, now time.Time) bool {
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

// ParseVersion reads what a containerd reports as its version. One that tells
// nothing, such as a build without a version, counts as the newest: the newest
// collector knows the most edges.
func ParseVersion(s string) Release {
	s = strings.TrimPrefix(s, "v")
	majorText, rest, _ := strings.Cut(s, ".")
	minorText, _, _ := strings.Cut(rest, ".")
	major, okMajor := leadingInt(majorText)
	minor, okMinor := leadingInt(minorText)
	if !okMajor || !okMinor || major == 0 {
		return Release{1 << 30, 0}
	}
	return Release{major, minor}
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
