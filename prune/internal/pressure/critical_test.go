package pressure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/pressure"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

const bases = `version: 1
rules:
- name: bases
  match: {names: ["base/*"]}
  keep: {last: 1, usedWithin: 60d}
  underPressure: last
- {name: rest, match: {names: ["**"]}, keep: none}
`

// What a rule keeps by age or use goes only when a disk is critical, and then last,
// if the rule says so. What it lets go goes in its turn.
func TestBeforeItsTime(t *testing.T) {
	day := 24 * time.Hour
	inv := tw.World{"default": {
		tw.Blob("old", tw.Created(tw.Noon.Add(-100*day))), tw.Record("base/x:old", "old", tw.Created(tw.Noon.Add(-100*day)), tw.Updated(tw.Noon.Add(-100*day))),
		tw.Blob("used", tw.Created(tw.Noon.Add(-90*day))), tw.Record("base/x:used", "used", tw.Created(tw.Noon.Add(-90*day)), tw.Updated(tw.Noon.Add(-90*day))),
		tw.Blob("newest"), tw.Record("base/x:newest", "newest"),
		tw.Blob("app"), tw.Record("app:1", "app"),
	}}.Inventory()
	log := lastuse.NewLog()
	for at := tw.Noon.Add(-100 * day); !at.After(tw.Noon); at = at.Add(lastuse.Bridged) {
		log.Watched(lastuse.Moment{Wall: at})
	}
	log.Note(lastuse.Key{Namespace: "default", Target: tw.Digest("used")}, lastuse.Use{At: tw.Noon.Add(-50 * day)})
	size := func(text string) int64 { return int64(len(tw.Body(text))) }
	for name, c := range map[string]struct {
		critical bool
		need     int64
		want     map[string]string
	}{
		"not critical": {false, 1 << 40, map[string]string{"base/x:old": "", "app:1": "", "base/x:used": "rule-used-within", "base/x:newest": "rule-last"}},
		"critical":     {true, 1 << 40, map[string]string{"base/x:old": "", "app:1": "", "base/x:used": "", "base/x:newest": "rule-last"}},
		"critical, and enough goes without it": {
			true, size("old") + size("app"), map[string]string{"base/x:old": "", "app:1": "", "base/x:used": "enough-freed", "base/x:newest": "rule-last"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := rules.Policy{
				Namespaces: []string{"default"}, Filters: tw.All(), LastUse: log.View(), Retention: tw.Must(retention.Parse("policy", []byte(bases))),
				Pressure: &filesystem.Pressure{FreeBytes: c.need, Critical: c.critical, FileSystems: []filesystem.FileSystem{{Content: true, Snapshotters: []string{"memory"}}}},
			}
			p, _, err := pressure.NewPlan(inv, policy, tw.Noon, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for _, d := range p.Decisions {
				if got[d.Name] = ""; !d.Gone() {
					got[d.Name] = string(d.ReasonCode)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("why each stays (-want +got):\n%s", diff)
			}
		})
	}
}
