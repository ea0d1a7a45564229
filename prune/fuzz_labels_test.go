package prune

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
)

// isNamed looks for a record by its name.
func isNamed(name string) func(images.Image) bool {
	return func(i images.Image) bool { return i.Name == name }
}

// releases are those in which the collector's rules changed, and the newest.
var releases = []release{{1, 6}, {1, 7}, {2, 0}, {2, 1}, {2, 2}, {2, 3}, {2, 4}, parseVersion("")}

// What a label means stays so in all later versions, and is in the namespace
// of the labelled object.
func FuzzLabel(f *testing.F) {
	f.Fuzz(func(t *testing.T, key, value string) {
		var known *ref
		for _, v := range releases {
			r, ok := parseRef(v, "ns", key, value)
			if !ok {
				if known != nil {
					t.Errorf("%q=%q means nothing to %v any more", key, value, v)
				}
				continue
			}
			if !strings.HasPrefix(key, labelPrefix) || r.to.ns != "ns" || r.to.flat || !strings.HasSuffix(r.to.key, value[strings.Index(value, "|")+1:]) {
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
		used := noon.Add(-time.Duration(age))
		holds := holdsAt(condition, used, noon)
		if strings.ContainsAny(condition, ",!=") {
			return
		}
		contrary := strings.NewReplacer("<", ">", ">", "<").Replace(condition)
		if holds && holdsAt(contrary, used, noon) {
			t.Errorf("%q and %q hold at the age of %d", condition, contrary, age)
		}
	})
}

// A record that expires may be told from one that does not, whatever stands in
// the label: what is no time never expires.
func FuzzExpire(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		c := &collector{version: release{2, 4}, now: noon}
		image := &images.Image{Labels: map[string]string{labelExpire: value}}
		at, err := time.Parse(time.RFC3339, value)
		if got, want := c.expired(image), err == nil && noon.After(at); got != want {
			t.Errorf("%q has expired: %v, want %v", value, got, want)
		}
		c.version = release{1, 7}
		if c.expired(image) {
			t.Errorf("%q expires a record on a version that knows of no such thing", value)
		}
	})
}

// What follows the minor version does not matter, and nonsense counts as the
// newest.
func FuzzVersion(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		v := parseVersion(text)
		if v.major <= 0 || v.minor < 0 {
			t.Errorf("%q is %+v", text, v)
		}
		if diff := cmp.Diff(v, parseVersion(text+"-rc.1"), cmp.AllowUnexported(release{})); diff != "" && strings.Contains(text, ".") && !strings.HasSuffix(text, ".") {
			t.Errorf("%q and its candidate differ: %s", text, diff)
		}
	})
}
