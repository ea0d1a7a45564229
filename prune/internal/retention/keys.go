package retention

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// policy reads the file as a whole.
func (p *parser) policy(n *yaml.Node, policy *Policy) {
	resident := func(name string, read func(*yaml.Node)) key {
		return key{name, func(n *yaml.Node) {
			policy.Resident = append(policy.Resident, name)
			read(n)
		}}
	}
	found := p.mapping(n, "the policy",
		key{"version", p.version},
		key{"protect", func(n *yaml.Node) { p.protect(n, &policy.Protect) }},
		key{"minAge", func(n *yaml.Node) { policy.MinAge = p.age(n, "minAge") }},
		key{"rules", func(n *yaml.Node) {
			p.list(n, "rules", func(n *yaml.Node) { policy.Rules = append(policy.Rules, p.rule(n)) })
		}},
		resident("disk", func(n *yaml.Node) { p.disk(n, &policy.Disk) }),
		key{"fuse", func(n *yaml.Node) { p.fuse(n, &policy.Fuse) }},
		resident("serve", func(n *yaml.Node) { p.serve(n, &policy.Serve) }),
	)
	if n.Kind == yaml.MappingNode && found["version"] == nil {
		p.fail(n, "the policy has no version: begin it with version: %d", Version)
	}
}

func (p *parser) version(n *yaml.Node) {
	if p.plain(n) && (n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Value != fmt.Sprint(Version)) {
		p.fail(n, "version is %s: only %d is known", shown(n), Version)
	}
}

func (p *parser) protect(n *yaml.Node, protect *Protect) {
	p.mapping(n, "protect",
		key{"names", func(n *yaml.Node) { protect.Names = p.patterns(n, "names", ParsePattern) }},
		key{"files", func(n *yaml.Node) {
			p.list(n, "files", func(n *yaml.Node) {
				if text, ok := p.text(n, "a file"); ok {
					p.protectFile(n, text, protect)
				}
			})
		}},
		key{"labels", func(n *yaml.Node) {
			p.list(n, "labels", func(n *yaml.Node) {
				if text, ok := p.text(n, "a label"); ok {
					p.label(n, text, protect)
				}
			})
		}},
	)
}

// protectFile reads the name of a file with patterns, in whose last part may be
// a *.
func (p *parser) protectFile(n *yaml.Node, text string, protect *Protect) {
	dir, name := path.Split(text)
	switch {
	case strings.ContainsAny(dir, "*?[") || strings.ContainsAny(name, `?[\`) || strings.Contains(name, anyParts):
		p.fail(n, "%q is not a file: only its last part may have a *, and no other special characters", text)
	case name == "":
		p.fail(n, "%q is a folder: write %q for the files in it", text, text+"*")
	default:
		protect.Files = append(protect.Files, Pattern{glob: text})
	}
}

func (p *parser) label(n *yaml.Node, text string, protect *Protect) {
	labelKey, value, _ := strings.Cut(text, "=")
	if labelKey == "" || strings.TrimSpace(labelKey) != labelKey || strings.TrimSpace(value) != value || !utf8.ValidString(text) {
		p.fail(n, "%q is not a label: write KEY or KEY=VALUE, without spaces around them", text)
		return
	}
	protect.Labels = append(protect.Labels, text)
}

// patterns reads a list of patterns.
func (p *parser) patterns(n *yaml.Node, what string, parse func(string) (Pattern, error)) (all []Pattern) {
	p.list(n, what, func(n *yaml.Node) {
		text, ok := p.text(n, "a pattern")
		if !ok {
			return
		}
		pattern, err := parse(text)
		if err != nil {
			p.fail(n, "%s", err)
			return
		}
		all = append(all, pattern)
	})
	return all
}

// rule reads one rule.
func (p *parser) rule(n *yaml.Node) Rule {
	r := Rule{at: placeOf(n)}
	what := "a rule"
	if name := child(n, "name"); name != nil && name.Kind == yaml.ScalarNode {
		what = fmt.Sprintf("rule %s", shown(name))
	}
	found := p.mapping(n, what,
		key{"name", func(n *yaml.Node) { r.Name = p.ruleName(n) }},
		key{"match", func(n *yaml.Node) { r.Match = p.match(n, what) }},
		key{"keep", func(n *yaml.Node) { r.Keep = p.keep(n, what) }},
		key{"underPressure", func(n *yaml.Node) { r.Last = p.word(n, "underPressure", "last") != "" }},
	)
	if n.Kind != yaml.MappingNode {
		return r
	}
	switch {
	case found["name"] == nil:
		p.fail(n, "a rule has no name: write name, which the reasons then say")
	case found["match"] == nil:
		p.fail(n, `%s has no match: write match: {names: ["**"]} for all images`, what)
	case found["keep"] == nil:
		p.fail(n, "%s has no keep: write keep: all, keep: none, or what to keep", what)
	}
	return r
}

// child is the value of a key, nil if there is none.
func child(n *yaml.Node, name string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// maxRuleName is how long the name of a rule may be: it is in every reason.
const maxRuleName = 100

func (p *parser) ruleName(n *yaml.Node) string {
	name, ok := p.text(n, "the name of a rule")
	if !ok {
		return ""
	}
	strange := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if len(name) > maxRuleName || strings.ContainsFunc(name, strange) {
		p.fail(n, "the name %s is too long or not printable: write at most %d bytes", shown(n), maxRuleName)
		return name
	}
	if at, there := p.names[name]; there {
		p.fail(n, "there is a rule %q already, in line %d: give this one another name", name, at.line)
	} else {
		p.names[name] = placeOf(n)
	}
	return name
}

// match reads what a rule is about.
func (p *parser) match(n *yaml.Node, what string) (m Match) {
	list := func(name string, into *[]Pattern, parse func(string) (Pattern, error)) key {
		return key{name, func(n *yaml.Node) {
			*into = p.patterns(n, name, parse)
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				p.fail(n, "%s is an empty list, which nothing matches: leave %s out, or write a pattern", name, name)
			}
		}}
	}
	found := p.mapping(n, "match",
		list("namespaces", &m.Namespaces, parseSimple),
		list("names", &m.Names, ParsePattern),
		list("tags", &m.Tags, parseSimple),
		key{"dangling", func(n *yaml.Node) {
			if word := p.word(n, "dangling", "true", "false"); word != "" {
				yes := word == "true"
				m.Dangling = &yes
			}
		}},
	)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 && len(found) == 0 {
		p.fail(n, `the match of %s is empty: write names: ["**"] for all images`, what)
	}
	return m
}

// keep reads what a rule keeps: a word, or conditions.
func (p *parser) keep(n *yaml.Node, what string) (k Keep) {
	if n.Kind == yaml.ScalarNode {
		if p.plain(n) {
			switch n.Value {
			case "all":
				k.All = true
			case "none":
			default:
				p.fail(n, "keep of %s is %s: write all, none, or any of last, within and usedWithin", what, shown(n))
			}
		}
		return k
	}
	p.mapping(n, "keep",
		key{"last", func(n *yaml.Node) { k.Last = p.number(n, "last") }},
		key{"within", func(n *yaml.Node) { k.Within = p.positive(n, "within") }},
		key{"usedWithin", func(n *yaml.Node) { k.UsedWithin = p.positive(n, "usedWithin") }},
	)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.fail(n, "keep of %s is empty: write all, none, or any of last, within and usedWithin", what)
	}
	return k
}

func (p *parser) fuse(n *yaml.Node, fuse *Fuse) {
	p.mapping(n, "fuse",
		key{"images", func(n *yaml.Node) { fuse.Images = p.percent(n, "images") }},
		key{"count", func(n *yaml.Node) { fuse.Count = p.number(n, "count") }},
	)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.fail(n, "fuse is empty: write images, count, or both")
	}
}
