package simulation

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/pressure"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// buildHost is the example of docs/policy.md for a build host whose disk fills up.
func buildHost(t *testing.T) string {
	t.Helper()
	text := string(tw.Must(os.ReadFile("../../../docs/policy.md")))
	_, text, _ = strings.Cut(text, "### A build host whose disk fills up")
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	return text
}

// everything lets every unused image go: the longest unused ones first.
const everything = `version: 1
rules:
- name: everything
  match: {names: ["**"]}
  keep: none
`

// planner prunes by the library's own plans: every minute it looks at the disk, and
// above the high mark it does what a plan for the low mark says.
type planner struct {
	t         *testing.T
	retention *retention.Policy
	marks     retention.Disk
	log       *lastuse.Log
	looked    time.Time
	until     time.Time // when the next run may begin
}

// pause is how long it waits after a run that has not freed enough, as serve does at
// first.
const pause = 5 * time.Minute

func newPlanner(t *testing.T, policy string, high, low, critical int) *planner {
	t.Helper()
	p := tw.Must(retention.Parse("policy", []byte(policy)))
	return &planner{t: t, retention: p, marks: retention.Disk{Marks: retention.Marks{High: high, Low: low}, Critical: critical}, log: lastuse.NewLog()}
}

func (p *planner) every() time.Duration { return time.Minute }

func (p *planner) look(h *host) {
	for i, there := range h.images {
		if there.lastUsed.After(p.looked) {
			p.log.Note(lastuse.Key{Namespace: namespace, Target: tw.Digest(i.name)}, lastuse.Use{At: there.lastUsed})
		}
	}
	p.looked = h.now
	p.log.Watched(lastuse.Moment{Wall: h.now})
	if h.now.Before(p.until) {
		return
	}
	asked := filesystem.Measure([]filesystem.FileSystem{{
		Path: "/", Content: true, Snapshotters: []string{"memory"}, BlockBytes: 1,
		CapacityBytes: h.capacity, AvailableBytes: h.capacity - h.used(),
	}}, p.marks)
	if asked.Full() {
		p.run(h, asked)
	}
}

func (p *planner) run(h *host, asked *filesystem.Pressure) {
	policy := rules.Policy{
		Namespaces: []string{namespace}, Filters: tw.All(), Retention: p.retention, LastUse: p.log.View(), Pressure: asked,
	}
	inv, inodes := inventoryOf(h)
	plan, _, err := pressure.NewPlan(inv, policy, h.now, inodes)
	if err != nil {
		p.t.Fatal(err)
	}
	byName := make(map[string]*image, len(h.images))
	for i := range h.images {
		byName[i.name] = i
	}
	var freed int64
	for _, d := range plan.Decisions {
		if d.Gone() {
			freed += h.remove(byName[d.Name])
		}
	}
	if !plan.Relief.Reached {
		p.until = h.now.Add(pause)
	}
	if predicted := plan.Predicted().TotalBytes; predicted != freed {
		p.t.Errorf("%s: %d bytes were predicted, and %d freed", h.now, predicted, freed)
	}
	h.ran(asked.FileSystems[0].NeedBytes, freed, collections(len(plan.Outcome.Freed.Snapshots)))
}

// collections is how many a run makes at most: it collects in slices of as many snapshots
// as a slow disk removes in a quarter of a second, at 8 ms each, and looks after the
// first what a collection costs (docs/design.md, Slices).
func collections(snapshots int) int {
	const slice = 250 / 8
	if snapshots <= slice {
		return 1
	}
	return 2 + (snapshots-1)/slice
}

const namespace = "default"

// inventoryOf is what the library would read of a host.
func inventoryOf(h *host) (*inventory.Inventory, inventory.Inodes) {
	var things []tw.Thing
	sizes, inodes := inventory.Sizes{}, inventory.Inodes{}
	packed := map[string]int64{}
	for l := range h.layers {
		packed[l.name] = l.packed
		parent := ""
		if l.parent != nil {
			parent = chain(l.parent)
		}
		id := inventory.SnapshotID{Namespace: namespace, SnapshotKey: inventory.SnapshotKey{Snapshotter: "memory", Key: chain(l)}}
		sizes[id], inodes[id] = l.unpacked(), 1
		things = append(things, tw.Blob(l.name), tw.Snapshot(chain(l), parent))
	}
	for i, there := range h.images {
		config := i.name + " config"
		attrs := []tw.Attr{tw.RefContent(config, ".config"), tw.Created(there.since)}
		for n, l := range i.layers() {
			attrs = append(attrs, tw.RefContent(l.name, fmt.Sprint(".l.", n)))
		}
		things = append(things, tw.Record(i.name, i.name, tw.Created(there.since), tw.Updated(there.since)),
			tw.Blob(i.name, attrs...), tw.Blob(config, tw.RefSnapshot(chain(i.top)), tw.Created(there.since)))
		if there.inUse(h.now) {
			things = append(things, tw.Active("of "+i.name, chain(i.top)), tw.Container("of "+i.name, i.name, "of "+i.name))
		}
	}
	inv := tw.World{namespace: things}.Inventory()
	for digest, blob := range inv.Namespaces[0].Blobs {
		blob.Size = 0 // manifests and configs are nothing beside layers
		inv.Namespaces[0].Blobs[digest] = blob
	}
	for name, size := range packed {
		blob := inv.Namespaces[0].Blobs[tw.Digest(name)]
		blob.Size = size
		inv.Namespaces[0].Blobs[tw.Digest(name)] = blob
	}
	return inv.WithSizes(sizes), inodes
}

func chain(l *layer) string { return "chain of " + l.name }
