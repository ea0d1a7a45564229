package filters

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A store with some images: where Names is missing, the image is of another
// namespace.
func findIn(store map[string][]Subject) func(string) ([]Subject, error) {
	return func(text string) ([]Subject, error) {
		if found, ok := store[text]; ok {
			return found, nil
		}
		return nil, fmt.Errorf("no image is named %s", text)
	}
}

func TestNamedImages(t *testing.T) {
	one := Subject{Names: []string{"a:1"}, Born: now.Add(-2 * day)}
	two := Subject{Names: []string{"b:1", "b:2"}, Born: now.Add(-day)}
	find := findIn(map[string][]Subject{
		"a": {one}, "b": {two}, "both": {one, two}, "elsewhere": {{Born: now}}, "x,y": {one}, "x[": {one}, `x\y`: {two}, "ageless": {one, {}},
	})
	for _, c := range []struct {
		filter string
		sub    Subject
		reason string
	}{
		{"id=a", one, ""},
		{"id=b", two, ""},
		{"id=a,b", two, ""},
		{`id=x\,y`, one, ""},
		{`id=x[,b`, two, ""},
		{`id=x\\y`, two, ""},
		{"id=a", two, "not matched by filter id=a"},
		{"id=elsewhere", one, "not matched by filter id=elsewhere"},
		{"id=a", Subject{Names: []string{"a:1", "a:2"}}, "filter id=a: it also has the name a:2"},
		{"id=a", Subject{Names: []string{"a:1", "sha256:" + hex64}}, ""},
		{"before=b", one, ""},
		{"before=b", two, "filter before=b: it is not older than that image"},
		{"before=a", two, "filter before=a: it is not older than that image"},
		{"since=a", two, ""},
		{"since=a", one, "filter since=a: it is not newer than that image"},
		{"since=b", one, "filter since=b: it is not newer than that image"},
		{"before=b", Subject{}, "filter before=b: its age cannot be read"},
		// There more than once: whatever keeps more counts.
		{"before=both", Subject{Born: now.Add(-36 * time.Hour)}, "filter before=both: it is not older than that image"},
		{"since=both", Subject{Born: now.Add(-36 * time.Hour)}, "filter since=both: it is not newer than that image"},
		{"before=elsewhere", two, ""},
		{"before=ageless", Subject{Born: now.AddDate(-1, 0, 0)}, "filter before=ageless: its age cannot be read"},
	} {
		set, err := mustParse(t, "dangling=false", c.filter).Resolve(find)
		if err != nil {
			t.Fatal(err)
		}
		checkVerdict(t, set.Match(c.sub, now), c.reason)
	}
}

const hex64 = "9c1b5f5d2c7a4d5ce4bb1cb1e1a7ce1f3f0f3c4f0e8d0f7e7c2f3b1a0d9e8f7c"

// Before the images are looked up everything stays, and what cannot be found is
// an error.
func TestNamedImagesUnresolved(t *testing.T) {
	old := Subject{Names: []string{"a"}, Born: now.AddDate(-9, 0, 0)}
	for _, filter := range []string{"id=a", "before=a", "since=a"} {
		set := mustParse(t, "dangling=false", filter)
		if set.Match(old, now).Match {
			t.Errorf("%s lets go without a store", filter)
		}
		if _, err := set.Resolve(findIn(nil)); err == nil {
			t.Errorf("%s found something", filter)
		}
	}
	stop := errors.New("stop")
	if _, err := mustParse(t).Resolve(func(string) ([]Subject, error) { return nil, stop }); err != nil {
		t.Errorf("a set that names no image asked: %v", err)
	}
}

// Of what goes with another image, age protects and a choice does not.
func TestNamedImagesProtect(t *testing.T) {
	find := findIn(map[string][]Subject{"a": {{Names: []string{"a"}, Born: now.Add(-day)}}})
	set, err := mustParse(t, "id=a", "before=a").Resolve(find)
	if err != nil {
		t.Fatal(err)
	}
	checkVerdict(t, set.MatchProtective(Subject{Names: []string{"sig"}, Born: now.Add(-2 * day)}, now), "")
	checkVerdict(t, set.MatchProtective(Subject{Names: []string{"sig"}, Born: now}, now), "filter before=a: it is not older than that image")
}
