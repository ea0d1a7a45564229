package retention

import "go.yaml.in/yaml/v3"

// disk checks the section that says when disks are full. Only a resident of the
// node reads it.
func (p *parser) disk(n *yaml.Node) {
	var low, high, critical int
	percent := func(name string, into *int) key {
		return key{name, func(n *yaml.Node) { *into = p.percent(n, name) }}
	}
	size := func(name string) key { return key{name, func(n *yaml.Node) { p.size(n, name) }} }
	found := p.mapping(n, "disk",
		percent("high", &high), percent("low", &low), percent("critical", &critical),
		key{"inodes", p.inodes},
		size("minFree"), size("maxUsed"), size("reserved"),
		key{"maxImages", func(n *yaml.Node) { p.number(n, "maxImages") }},
		key{"check", func(n *yaml.Node) { p.positive(n, "check") }},
	)
	p.ordered(found["low"], "low", low, "high", high)
	p.ordered(found["high"], "high", high, "critical", critical)
}

func (p *parser) inodes(n *yaml.Node) {
	var low, high int
	found := p.mapping(n, "inodes",
		key{"high", func(n *yaml.Node) { high = p.percent(n, "high") }},
		key{"low", func(n *yaml.Node) { low = p.percent(n, "low") }},
	)
	p.ordered(found["low"], "low", low, "high", high)
}

// ordered refuses marks of which the lower is not below the other, where both
// are there.
func (p *parser) ordered(n *yaml.Node, lower string, low int, upper string, high int) {
	if low > 0 && high > 0 && low >= high {
		p.fail(n, "%s is %d%%, which is not below %s, %d%%", lower, low, upper, high)
	}
}
