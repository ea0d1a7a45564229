package filters

import (
	"strings"
	"testing"
)

func TestLabel(t *testing.T) {
	type labels = map[string]string
	one, two := []map[string]string{{"k": "v"}}, []map[string]string{{}, {"k": "v", "e": "", "q": "a=b"}}
	for _, c := range []struct {
		filter string
		has    []labels
		reason string
	}{
		{"label=k", one, ""},
		{"label=k", two, ""},
		{"label=k=v", two, ""},
		{"label=k=w", two, "filter label=k=w: no platform has the label"},
		{"label=k=", two, "filter label=k=: no platform has the label"},
		{"label=K", two, "filter label=K: no platform has the label"},
		{"label=e", two, ""},
		{"label=e=", two, ""},
		{"label=q=a=b", two, ""},
		{"label=q=a", two, "filter label=q=a: no platform has the label"},
		{"label=k", []labels{{}}, "filter label=k: no platform has the label"},
		{"label=k", []labels{nil}, "filter label=k: no platform has the label"},
		{"label!=k", one, "filter label!=k: a platform has the label k=v"},
		{"label!=k", two, "filter label!=k: a platform has the label k=v"},
		{"label!=k=v", two, "filter label!=k=v: a platform has the label k=v"},
		{"label!=k=w", two, ""},
		{"label!=k=", two, ""},
		{"label!=e=", two, "filter label!=e=: a platform has the label e="},
		{"label!=q=a=b", two, "filter label!=q=a=b: a platform has the label q=a=b"},
		{"label!=k", []labels{{}}, ""},
		{"label=k", nil, "filter label=k: no image config of it can be read"},
		{"label!=k", nil, "filter label!=k: no image config of it can be read"},
	} {
		set := mustParse(t, c.filter)
		if !set.NeedsLabels() {
			t.Errorf("%s does not need labels", c.filter)
		}
		checkVerdict(t, set.Match(Subject{Dangling: true, Labels: c.has}, now), c.reason)
	}
}

// Each label= may be met by another platform.
func TestLabelAcrossPlatforms(t *testing.T) {
	sub := Subject{Dangling: true, Labels: []map[string]string{{"a": "1"}, {"b": "1"}}}
	checkVerdict(t, mustParse(t, "label=a", "label=b").Match(sub, now), "")
	checkVerdict(t, mustParse(t, "label=a", "label!=b").Match(sub, now), "filter label!=b: a platform has the label b=1")
}

// A subject whose configs are not all readable stays, whatever was read.
func TestLabelUnreadable(t *testing.T) {
	sub := Subject{Dangling: true, Labels: []map[string]string{{"k": "v"}}, LabelsErr: `config "x" cannot be parsed`}
	checkVerdict(t, mustParse(t, "label=k").Match(sub, now), `filter label=k: config "x" cannot be parsed`)
	checkVerdict(t, mustParse(t, "label!=z").Match(sub, now), `filter label!=z: config "x" cannot be parsed`)
	checkVerdict(t, mustParse(t).Match(sub, now), "")
}

func TestHostileLabels(t *testing.T) {
	hostile := "\x1b[31m\n\u202e" + strings.Repeat("x", 20000)
	set := mustParse(t, "label!=k")
	got := set.Match(Subject{Dangling: true, Labels: []map[string]string{{"k": hostile}}}, now)
	if want := `filter label!=k: a platform has the label "k=\x1b[31m\n\u202exxx`; !strings.HasPrefix(got.Reason(), want) {
		t.Errorf("got %q", got.Reason())
	}
	checkPrintable(t, got.Reason())

	got = set.Match(Subject{Dangling: true, LabelsErr: "config \xff\a broken"}, now)
	checkVerdict(t, got, `filter label!=k: "config \xff\a broken"`)

	got = mustParse(t, "label!=two words").Match(Subject{Dangling: true, Labels: []map[string]string{{"two words": "a b"}}}, now)
	checkVerdict(t, got, `filter "label!=two words": a platform has the label "two words=a b"`)
}
