package retention

import "encoding/json"

// document is a policy as JSON, which is a policy file again, and YAML.
type document struct {
	Version int              `json:"version"`
	Protect *protectDocument `json:"protect,omitempty"`
	MinAge  string           `json:"minAge,omitempty"`
	Rules   []ruleDocument   `json:"rules"`
	Fuse    *fuseDocument    `json:"fuse,omitempty"`
}

type protectDocument struct {
	Names  []Pattern `json:"names,omitempty"`
	Files  []Pattern `json:"files,omitempty"`
	Labels []string  `json:"labels,omitempty"`
}

type ruleDocument struct {
	Name          string        `json:"name"`
	Match         matchDocument `json:"match"`
	Keep          any           `json:"keep"`
	UnderPressure string        `json:"underPressure,omitempty"`
}

type matchDocument struct {
	Namespaces []Pattern `json:"namespaces,omitempty"`
	Names      []Pattern `json:"names,omitempty"`
	Tags       []Pattern `json:"tags,omitempty"`
	Dangling   *bool     `json:"dangling,omitempty"`
}

type keepDocument struct {
	Last       int    `json:"last,omitempty"`
	Within     string `json:"within,omitempty"`
	UsedWithin string `json:"usedWithin,omitempty"`
}

type fuseDocument struct {
	Images string `json:"images,omitempty"`
	Count  int    `json:"count,omitempty"`
}

// MarshalText returns the pattern as it was typed.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.glob), nil }

// MarshalJSON returns the policy as a policy file, without the sections that only
// a resident reads.
func (p *Policy) MarshalJSON() ([]byte, error) {
	d := document{Version: Version, MinAge: p.MinAge.Typed, Rules: []ruleDocument{}}
	if len(p.Protect.Names)+len(p.Protect.Files)+len(p.Protect.Labels) > 0 {
		d.Protect = &protectDocument{p.Protect.Names, p.Protect.Files, p.Protect.Labels}
	}
	for _, r := range p.Rules {
		rule := ruleDocument{Name: r.Name, Match: matchDocument(r.Match), Keep: r.Keep.document()}
		if r.Last {
			rule.UnderPressure = "last"
		}
		d.Rules = append(d.Rules, rule)
	}
	if p.Fuse != (Fuse{}) {
		d.Fuse = &fuseDocument{Count: p.Fuse.Count}
		if p.Fuse.Images > 0 {
			d.Fuse.Images = percentage(p.Fuse.Images)
		}
	}
	return json.Marshal(d)
}

func (k Keep) document() any {
	switch {
	case k.All:
		return "all"
	case k == Keep{}:
		return "none"
	default:
		return keepDocument{k.Last, k.Within.Typed, k.UsedWithin.Typed}
	}
}

// UnmarshalJSON reads what [Policy.MarshalJSON] has written.
func (p *Policy) UnmarshalJSON(text []byte) error {
	read, err := Parse("the policy", text)
	if err == nil {
		*p = *read
	}
	return err
}
