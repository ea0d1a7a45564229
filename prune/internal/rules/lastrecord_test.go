package rules_test

import (
	"testing"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A record that has expired goes with any collection, the run's own among
// them, so it is none that an image in use could be left with.
func TestExpiredRecordIsNotTheLast(t *testing.T) {
	over, name := tw.Expiring(tw.Noon.Add(-1)), "<none>@"+tw.Digest("a").String()
	used := func(image string, records ...tw.Thing) []tw.Thing {
		return tw.Join(tw.Unpacked("a", "top", ""), records, []tw.Thing{tw.Container("c", image, "rw"), tw.Active("rw", "top")})
	}
	const user = "container c, whose snapshot is based on it"
	for title, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"named by the container": {
			used("x:1", tw.Record("x:1", "a", over), tw.Record("y:1", "a")),
			[]string{"x:1: remove: " + reasonExpired, `y:1: stand-in: the name is removed and replaced by "<none>@«a»", because its image is in use by ` + user},
		},
		"one that will expire": {
			used("x:1", tw.Record("x:1", "a", tw.Expiring(tw.Noon.Add(1))), tw.Record("y:1", "a")),
			[]string{"x:1: keep: in use by container c", "y:1: remove: unused"},
		},
		"a stand-in": {
			used("", tw.Record(name, "a", over), tw.Record("y:1", "a")),
			[]string{"<none>@«a»: remove: " + reasonExpired,
				`y:1: keep: its image is in use by ` + user + `, and its stand-in "<none>@«a»" has expired`},
		},
		"all that there is": {used("x:1", tw.Record("x:1", "a", over)), []string{
			`x:1: stand-in: the name is removed and replaced by "<none>@«a»", because its image is in use by ` + user,
		}},
	} {
		t.Run(title, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}
