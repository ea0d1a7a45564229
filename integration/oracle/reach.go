package oracle

// Option changes what CheckReachable accepts.
type Option func(*reachOptions)

type reachOptions struct{ orphanSnapshots bool }

// AllowOrphanedSnapshots accepts the loss of snapshots that only the config
// of a removed image held, when nothing but build history holds that config.
// Whatever else holds it wants the snapshots too.
func AllowOrphanedSnapshots() Option {
	return func(o *reachOptions) { o.orphanSnapshots = true }
}

// CheckReachable finds what was lost although something that survived refers
// to it: content, snapshots, records and uploads reached from the roots of
// after by the references of before.
//
// Conditional references (gc.cond, 2.3 and later) are not followed.
func CheckReachable(before, after *State, opts ...Option) error {
	var o reachOptions
	for _, opt := range opts {
		opt(&o)
	}
	var found findings
	for name, ns := range before.Namespaces {
		now := after.Namespaces[name]
		if now == nil {
			continue // CheckComplete reports it
		}
		g := newGraph(before, ns, now, after.At)
		if o.orphanSnapshots {
			g.cutOrphans()
		}
		for n := range g.walk(after.roots(now)) {
			if ns.has(n) && !now.has(n) {
				found.add("namespace %s: lost %s %s, which is referred to", name, n.kind, n.key)
			}
		}
	}
	return found.err()
}
