package behaviour_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// refusals are command lines that cannot be used, whatever the store.
var refusals = []struct {
	name, args, says string
}{
	{"unknown filter", "--filter nonsense=1", "nonsense=1"},
	{"filter without a value", "--filter until", "until"},
	{"filter that is no pair", "--filter =x", "--filter"},
	{"dangling neither true nor false", "--filter dangling=maybe", "maybe"},
	{"number without a unit", "--until 72", "72h"},
	{"negative age", "--until -3h", "-3h"},
	{"negative age, as a filter", "--filter until=-3h", "-3h"},
	{"overflow of an age", "--until 99999999999999w", "99999999999999w"},
	{"overflow of a time", "--until 99999999999999999999", "99999999999999999999"},
	{"no age at all", "--until soon", "soon"},
	{"empty age", "--until=", "--until"},
	{"malformed pattern", "--filter reference=[a", "[a"},
	{"malformed pattern that excludes", "--filter reference!=[a", "[a"},
	{"empty label", "--filter label=", "label"},
	{"unknown namespace", "-n nowhere", `"nowhere"`},
	{"empty namespace", "-n=", "namespace"},
	{"namespaces and all of them", "-n default --all-namespaces", "contradict"},
	{"unknown format", "--format yaml", "yaml"},
	{"malformed template", "--format {{.Name", "--format"},
	{"template with an unknown field", "--format {{.Nope}}", "Nope"},
	{"quiet and format", "-q --format json", "contradict"},
	{"unknown flag", "--purge", "--purge"},
	{"prefix that is none", "--dangling-prefix a@b", "a@b"},
	{"Docker's socket that is not there", "--docker-host /nonexistent", "--docker-host"},
	{"list of pods that is not there", "--pods /nonexistent", "--pods: there is no /nonexistent, and nothing that was read needs it"},
	{"timeout below zero", "--timeout -1s", "-1s"},
}

// A command line that cannot be used is refused in one sentence, and nothing
// is created or changed.
func TestBadInput(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.zoo()
		s.ready()
		before, files := s.state(), tree(t, s.daemon.Root())
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				got := run(t, slices.Concat(s.where(), []string{"--all", "--force"}, strings.Fields(r.args))...)
				wantSentence(t, got, programs.ExitUsage, r.says)
			})
		}
		t.Run("no terminal and no force", func(t *testing.T) {
			wantSentence(t, run(t, append(s.where(), "--all")...), programs.ExitUsage, "--force")
		})
		if s.stopped { // a daemon writes files of its own
			wantSameTree(t, files, tree(t, s.daemon.Root()))
		}
		wantSame(t, before, s.state())
	})
}

// tree lists what is below a folder, with all that a change would change.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		about := info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			about += " " + info.ModTime().String() + " " + string(data)
		}
		found[path] = about
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantSameTree(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, about := range before {
		if after[path] != about {
			t.Errorf("%s was changed", path)
		}
		delete(after, path)
	}
	for path := range after {
		t.Errorf("%s was made", path)
	}
}
