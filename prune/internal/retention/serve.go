package retention

import (
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Serve is the section of a policy file that says how a resident of the node
// works. What the file does not say is zero.
type Serve struct {
	// Every is how often a run begins, moved by up to Jitter.
	Every, Jitter Age
	// Windows are when runs may begin, at any time if there are none.
	Windows []Window
	// Namespaces are those to prune, AllNamespaces says that it is every one.
	Namespaces    []string
	AllNamespaces bool
	// Grace is that of scheduled runs.
	Grace Age
	// Listen is an address for metrics and the like, or [NoListen].
	Listen string
	// Page says who may see the page with the names of images: who is on the machine
	// (loopback, also if it is empty), or everywhere who can reach Listen.
	Page string
	// State is the folder for what is to survive a restart.
	State string
	// Pods is where the pods of the node are listed: none, kubelet, apiserver or
	// file.
	Pods string
	// PodsEvery is how often they are listed to watch use.
	PodsEvery Age
	// Events has what is done told as events on the object of the node, KubeletCheck
	// the marks of the kubelet compared with those of this policy.
	Events, KubeletCheck bool
}

// NoListen is written instead of an address to listen nowhere.
const NoListen = "none"

// PageEverywhere shows the page to everybody who can reach it.
const PageEverywhere = "everywhere"

// Window is a time of the week. The days are those on which it begins: if To is
// not after From, it ends on the next day.
type Window struct {
	// Days are in the order of [time.Weekday].
	Days [7]bool
	// From and To are counted from midnight, by the clocks on the walls.
	From, To time.Duration
	// Zone is the name of a time zone, "" for the machine's own.
	Zone string
	// Typed is the window as it was written.
	Typed string
}

// serve reads the section.
func (p *parser) serve(n *yaml.Node, s *Serve) {
	age := func(name string, into *Age) key { return key{name, func(n *yaml.Node) { *into = p.positive(n, name) }} }
	text := func(name string, into *string, instead string, fits func(string) bool) key {
		return key{name, func(n *yaml.Node) {
			value, ok := p.text(n, name)
			if ok && !fits(value) {
				p.fail(n, "%s is %s: write %s", name, shown(n), instead)
			}
			*into = value
		}}
	}
	yes := func(name string, into *bool) key {
		return key{name, func(n *yaml.Node) { *into = p.word(n, name, "true", "false") == "true" }}
	}
	found := p.mapping(n, "serve",
		age("every", &s.Every), age("jitter", &s.Jitter),
		key{"windows", func(n *yaml.Node) { p.windows(n, s) }},
		key{"namespaces", func(n *yaml.Node) { p.served(n, s) }},
		age("grace", &s.Grace),
		text("listen", &s.Listen, "an address, such as 127.0.0.1:9745, or none", address),
		key{"page", func(n *yaml.Node) { s.Page = p.word(n, "page", "loopback", PageEverywhere) }},
		text("state", &s.State, "the full path of a folder, such as /var/lib/ctr-prune", path.IsAbs),
		key{"pods", func(n *yaml.Node) {
			p.mapping(n, "pods",
				key{"source", func(n *yaml.Node) { s.Pods = p.word(n, "source", "none", "kubelet", "apiserver", "file") }},
				age("every", &s.PodsEvery))
		}},
		yes("events", &s.Events), yes("kubeletCheck", &s.KubeletCheck),
	)
	if s.Every.Length > 0 && s.Jitter.Length >= s.Every.Length {
		p.fail(found["jitter"], "jitter is %s, which is not below every, %s", s.Jitter.Typed, s.Every.Typed)
	}
}

// served reads the namespaces of a resident: a list, or all.
func (p *parser) served(n *yaml.Node, s *Serve) {
	if n.Kind == yaml.ScalarNode {
		s.AllNamespaces = p.word(n, "namespaces", "all") == "all"
		return
	}
	p.list(n, "namespaces", func(n *yaml.Node) {
		if name, ok := p.text(n, "a namespace"); ok {
			s.Namespaces = append(s.Namespaces, name)
		}
	})
}

func address(text string) bool {
	_, port, err := net.SplitHostPort(text)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	return text == NoListen || err == nil && notNumber == nil && number > 0
}

// window is a time of the week: days, hours, and perhaps a zone, of which only
// the form is checked, because the zones of this machine are not those of others.
var window = regexp.MustCompile(`^([A-Z][a-z]{2}(?:[-,][A-Z][a-z]{2})*) ([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)(?: ([A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*))?$`)

// weekdays are in the order of [time.Weekday].
var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

func (p *parser) windows(n *yaml.Node, s *Serve) {
	p.list(n, "windows", func(n *yaml.Node) {
		typed, ok := p.text(n, "a window")
		if !ok {
			return
		}
		w, ok := parseWindow(typed)
		if !ok {
			p.fail(n, `%s is not a window: write days, hours and perhaps a zone, such as "Mon-Fri 22:00-06:00 Europe/Berlin"`, shown(n))
		}
		s.Windows = append(s.Windows, w)
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.fail(n, "windows is an empty list, in which no run could begin: leave windows out, or write one")
	}
}

func parseWindow(typed string) (w Window, ok bool) {
	parts := window.FindStringSubmatch(typed)
	if parts == nil || parts[2] >= "24:00" || parts[3] > "24:00" || parts[2] == parts[3] {
		return w, false
	}
	w = Window{From: sinceMidnight(parts[2]), To: sinceMidnight(parts[3]), Zone: parts[4], Typed: typed}
	for _, days := range strings.Split(parts[1], ",") {
		if !w.add(strings.Split(days, "-")) {
			return w, false
		}
	}
	return w, true
}

// add adds a day, or those from one to another: Fri-Mon are four.
func (w *Window) add(days []string) bool {
	first, last := slices.Index(weekdays, days[0]), slices.Index(weekdays, days[len(days)-1])
	if first < 0 || last < 0 || len(days) > 2 {
		return false
	}
	for day := first; ; day = (day + 1) % 7 {
		w.Days[day] = true
		if day == last {
			return true
		}
	}
}

// sinceMidnight is the time of a text that the pattern has matched.
func sinceMidnight(text string) time.Duration {
	hours, _ := strconv.Atoi(text[:2])
	minutes, _ := strconv.Atoi(text[3:])
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
}
