package gc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// releases are those in which the collector's rules changed, and the newest.
var releases = []gc.Release{{Major: 1, Minor: 6}, {Major: 1, Minor: 7}, {Major: 2, Minor: 0}, {Major: 2, Minor: 1}, {Major: 2, Minor: 2}, {Major: 2, Minor: 3}, {Major: 2, Minor: 4}, gc.ParseVersion("")}

// What a label means stays so in all later versions, and is in the namespace
// of the labelled object.
func FuzzLabel(f *testing.F) {
	f.Fuzz(func(t *testing.T, key, value string) {
		var known *gc.Ref
		for _, v := range releases {
			r, ok := gc.ParseRef(v, "ns", key, value)
			if !ok {
				if known != nil {
					t.Errorf("%q=%q means nothing to %v any more", key, value, v)
				}
				continue
			}
			if !strings.HasPrefix(key, gc.LabelPrefix) || r.To.Namespace != "ns" || r.To.Flat || !strings.HasSuffix(r.To.Key, value[strings.Index(value, "|")+1:]) {
				t.Errorf("%q=%q is %+v to %v", key, value, r, v)
			}
			if known != nil && *known != r {
				t.Errorf("%q=%q is %+v, and %+v to %v", key, value, *known, r, v)
			}
			known = &r
		}
	})
}

// Of a condition and its contrary at most one holds.
func FuzzCondition(f *testing.F) {
	f.Fuzz(func(t *testing.T, condition string, age int64) {
		used := tw.Noon.Add(-time.Duration(age))
		holds := gc.HoldsAt(condition, used, tw.Noon)
		if strings.ContainsAny(condition, ",!=") {
			return
		}
		contrary := strings.NewReplacer("<", ">", ">", "<").Replace(condition)
		if holds && gc.HoldsAt(contrary, used, tw.Noon) {
			t.Errorf("%q and %q hold at the age of %d", condition, contrary, age)
		}
	})
}

// A record that expires may be told from one that does not, whatever stands in
// the label: what is no time never expires.
func FuzzExpire(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		c := &gc.Collector{Version: gc.Release{Major: 2, Minor: 4}, Now: tw.Noon}
		image := &images.Image{Labels: map[string]string{gc.LabelExpire: value}}
		at, err := time.Parse(time.RFC3339, value)
		if got, want := c.Expired(image), err == nil && tw.Noon.After(at); got != want {
			t.Errorf("%q has expired: %v, want %v", value, got, want)
		}
		c.Version = gc.Release{Major: 1, Minor: 7}
		if c.Expired(image) {
			t.Errorf("%q expires a record on a version that knows of no such thing", value)
		}
	})
}

// What follows the minor version does not matter, and nonsense counts as the
// newest.
func FuzzVersion(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		v := gc.ParseVersion(text)
		if v.Major <= 0 || v.Minor < 0 {
			t.Errorf("%q is %+v", text, v)
		}
		if diff := cmp.Diff(v, gc.ParseVersion(text+"-rc.1"), cmp.AllowUnexported(gc.Release{})); diff != "" && strings.Contains(text, ".") && !strings.HasSuffix(text, ".") {
			t.Errorf("%q and its candidate differ: %s", text, diff)
		}
	})
}
