package filters

import (
	"testing"
	"time"
)

func TestDangling(t *testing.T) {
	tagged, dangling := Subject{Names: []string{"docker.io/library/a:1"}}, Subject{Dangling: true}
	for _, c := range []struct {
		set    Set
		sub    Subject
		reason string
	}{
		{Set{}, tagged, "not dangling"},
		{Set{}, dangling, ""},
		{mustParse(t), tagged, "not dangling"},
		{mustParse(t, "dangling=true"), tagged, "not dangling"},
		{mustParse(t, "dangling=true"), dangling, ""},
		{mustParse(t, "dangling=false"), tagged, ""},
		{mustParse(t, "dangling=false"), dangling, ""},
	} {
		checkVerdict(t, c.set.Match(c.sub, now), c.reason)
	}
	if (Set{}).NeedsLabels() || !(Set{}).DanglingOnly() {
		t.Error("the zero Set is not the default")
	}
}

// Every filter has a veto: a subject that passes all but one stays.
func TestAllFiltersHold(t *testing.T) {
	set := mustParse(t, "dangling=false", "until=1h", "label=go", "label!=keep", "reference=a*", "reference!=*:keep")
	good := func() Subject {
		return Subject{Names: []string{"a:1"}, Born: now.Add(-day), Labels: []map[string]string{{"go": "1"}}}
	}
	checkVerdict(t, set.Match(good(), now), "")
	for reason, spoil := range map[string]func(*Subject){
		"younger than 1h (1m old)":                                        func(s *Subject) { s.Born = now.Add(-time.Minute) },
		"filter label=go: no platform has the label":                      func(s *Subject) { delete(s.Labels[0], "go") },
		"filter label!=keep: a platform has the label keep=1":             func(s *Subject) { s.Labels[0]["keep"] = "1" },
		"not matched by filter reference=a*":                              func(s *Subject) { s.Names[0] = "b:1" },
		"filter reference!=*:keep: it has the name a:keep":                func(s *Subject) { s.Names[0] = "a:keep" },
		"filter label!=keep: config sha256:12 cannot be parsed":           func(s *Subject) { s.LabelsErr = "config sha256:12 cannot be parsed" },
		"filter label!=keep: no image config of it can be read":           func(s *Subject) { s.Labels = nil },
		"filter until=1h: its age cannot be read":                         func(s *Subject) { s.Born = time.Time{} },
		"filter until=1h: its time 2026-11-21T11:00:00Z is in the future": func(s *Subject) { s.Born = now.Add(time.Hour) },
	} {
		sub := good()
		spoil(&sub)
		checkVerdict(t, set.Match(sub, now), reason)
	}
}

func TestMatchProtective(t *testing.T) {
	set := mustParse(t, "dangling=true", "until=1h", "label=go", "label!=keep", "reference=a*", "reference!=*:keep")
	old := now.Add(-day)
	for _, c := range []struct {
		name   string
		sub    Subject
		reason string
	}{
		{"neither dangling nor chosen", Subject{Names: []string{"b:1"}, Born: old, Labels: []map[string]string{{}}}, ""},
		{"young", Subject{Names: []string{"b:1"}, Born: now, Labels: []map[string]string{{}}}, "younger than 1h (0s old)"},
		{"label!", Subject{Born: old, Labels: []map[string]string{{"keep": ""}}}, "filter label!=keep: a platform has the label keep="},
		{"labels unknown", Subject{Born: old}, "filter label!=keep: no image config of it can be read"},
		{"reference!", Subject{Names: []string{"b:keep"}, Born: old, Labels: []map[string]string{{}}}, "filter reference!=*:keep: it has the name b:keep"},
	} {
		t.Run(c.name, func(t *testing.T) { checkVerdict(t, set.MatchProtective(c.sub, now), c.reason) })
	}
	choosing := mustParse(t, "label=go", "reference=a*")
	checkVerdict(t, choosing.MatchProtective(Subject{LabelsErr: "no config"}, now), "")
}
