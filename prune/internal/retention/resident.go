package retention

import (
	"net"
	"path"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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

// serve checks the section that only a resident of the node reads.
func (p *parser) serve(n *yaml.Node) {
	age := func(name string) key { return key{name, func(n *yaml.Node) { p.positive(n, name) }} }
	text := func(name, instead string, fits func(string) bool) key {
		return key{name, func(n *yaml.Node) {
			if value, ok := p.text(n, name); ok && !fits(value) {
				p.fail(n, "%s is %s: write %s", name, shown(n), instead)
			}
		}}
	}
	p.mapping(n, "serve",
		age("every"), age("jitter"),
		key{"windows", func(n *yaml.Node) { p.list(n, "windows", p.window) }},
		key{"namespaces", p.served},
		age("grace"),
		text("listen", "an address, such as 127.0.0.1:9745", address),
		text("state", "the full path of a folder, such as /var/lib/ctr-prune", func(s string) bool { return path.IsAbs(s) }),
		key{"pods", func(n *yaml.Node) {
			p.mapping(n, "pods", key{"source", func(n *yaml.Node) { p.word(n, "source", "none", "kubelet", "apiserver", "file") }})
		}},
	)
}

// served reads the namespaces of a resident: a list, or all.
func (p *parser) served(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		p.word(n, "namespaces", "all")
		return
	}
	p.list(n, "namespaces", func(n *yaml.Node) { p.text(n, "a namespace") })
}

func address(text string) bool {
	_, port, err := net.SplitHostPort(text)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	return err == nil && notNumber == nil && number > 0
}

// window is a time of the week: days, hours, and perhaps a zone, of which only
// the form is checked, because the zones of this machine are not those of others.
var window = regexp.MustCompile(`^([A-Z][a-z]{2}(?:[-,][A-Z][a-z]{2})*) ([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)(?: [A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*)?$`)

const weekdays = "Mon Tue Wed Thu Fri Sat Sun"

func (p *parser) window(n *yaml.Node) {
	text, ok := p.text(n, "a window")
	if !ok {
		return
	}
	parts := window.FindStringSubmatch(text)
	good := parts != nil && parts[2] < "24:00" && parts[3] <= "24:00" && parts[2] != parts[3]
	if good {
		for _, day := range strings.FieldsFunc(parts[1], func(r rune) bool { return r == '-' || r == ',' }) {
			good = good && strings.Contains(weekdays, day)
		}
	}
	if !good {
		p.fail(n, `%s is not a window: write days, hours and perhaps a zone, such as "Mon-Fri 22:00-06:00 Europe/Berlin"`, shown(n))
	}
}
