package retention

import "go.yaml.in/yaml/v3"

// disk reads the section that says when disks are full.
func (p *parser) disk(n *yaml.Node, d *Disk) {
	percent := func(name string, into *int) key {
		return key{name, func(n *yaml.Node) { *into = p.percent(n, name) }}
	}
	size := func(name string, into *Size) key { return key{name, func(n *yaml.Node) { *into = p.size(n, name) }} }
	found := p.mapping(n, "disk",
		percent("high", &d.High), percent("low", &d.Low), percent("critical", &d.Critical),
		key{"inodes", func(n *yaml.Node) { p.inodes(n, &d.Inodes) }},
		size("minFree", &d.MinFree), size("maxUsed", &d.MaxUsed), size("reserved", &d.Reserved),
		key{"maxImages", func(n *yaml.Node) { d.MaxImages = p.number(n, "maxImages") }},
		key{"check", func(n *yaml.Node) { d.Check = p.positive(n, "check") }},
	)
	p.ordered(found["low"], "low", d.Low, "high", d.High)
	p.ordered(found["high"], "high", d.High, "critical", d.Critical)
	p.ordered(found["low"], "low", d.Low, "critical", d.Critical)
}

func (p *parser) inodes(n *yaml.Node, m *Marks) {
	found := p.mapping(n, "inodes",
		key{"high", func(n *yaml.Node) { m.High = p.percent(n, "high") }},
		key{"low", func(n *yaml.Node) { m.Low = p.percent(n, "low") }},
	)
	p.ordered(found["low"], "low", m.Low, "high", m.High)
}

// ordered refuses marks of which the lower is not below the other, where both
// are there.
func (p *parser) ordered(n *yaml.Node, lower string, low int, upper string, high int) {
	if low > 0 && high > 0 && low >= high {
		p.fail(n, "%s is %d%%, which is not below %s, %d%%", lower, low, upper, high)
	}
}
