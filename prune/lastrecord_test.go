package prune

import "testing"

// A record that has expired goes with any collection, the run's own among
// them, so it is none that an image in use could be left with.
func TestExpiredRecordIsNotTheLast(t *testing.T) {
	over, name := expiring(noon.Add(-1)), "<none>@"+dig("a").String()
	used := func(image string, records ...thing) []thing {
		return join(unpacked("a", "top", ""), records, []thing{container("c", image, "rw"), active("rw", "top")})
	}
	const user = "container c, whose snapshot stands on it"
	for title, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"named by the container": {
			used("x:1", record("x:1", "a", over), record("y:1", "a")),
			[]string{"x:1: remove: " + reasonExpired, `y:1: stand-in: the name goes and "<none>@«a»" takes its place: its image is in use by ` + user},
		},
		"one that will expire": {
			used("x:1", record("x:1", "a", expiring(noon.Add(1))), record("y:1", "a")),
			[]string{"x:1: keep: in use by container c", "y:1: remove: unused"},
		},
		"a stand-in": {
			used("", record(name, "a", over), record("y:1", "a")),
			[]string{"<none>@«a»: remove: " + reasonExpired,
				`y:1: keep: its image is in use by ` + user + `, and "<none>@«a»", which would take its place, has expired`},
		},
		"all that there is": {used("x:1", record("x:1", "a", over)), []string{
			`x:1: stand-in: the name goes and "<none>@«a»" takes its place: its image is in use by ` + user,
		}},
	} {
		t.Run(title, func(t *testing.T) { checkDecided(t, "default", all(), c.things, c.want) })
	}
}
