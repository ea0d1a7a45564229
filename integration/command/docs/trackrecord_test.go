package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shownBy is a package and the tests of it that show something, as in
// "`prune/internal/run` `TestA`, `TestB`" or "`filters`, `leases` `TestA`".
var (
	shownBy  = regexp.MustCompile("((?:`[a-z][a-z/-]*`,? )+)((?:`(?:Test|Fuzz)\\w+`(?:, )?)+)")
	inQuotes = regexp.MustCompile("`([^`]+)`")
)

// TestTrackRecordNamesTests holds docs/track-record.md to the code: a fault's
// test must be found where the row says.
func TestTrackRecordNamesTests(t *testing.T) {
	text := read(t, "docs/track-record.md")
	if rows := len(shownBy.FindAllString(text, -1)); rows < 80 {
		t.Errorf("docs/track-record.md names tests in %d places", rows)
	}
	for _, problem := range missing(text) {
		t.Error(problem)
	}
}

// TestMissingTests shows that rows which are wrong are found.
func TestMissingTests(t *testing.T) {
	for text, want := range map[string]int{
		"`integration/command/docs` `TestMissingTests`":              0,
		"`integration/command/docs` `TestMissingTests`, `TestOfOld`": 1,
		"`filters`, `integration/command/docs` `TestMissingTests`":   1,
		"`nowhere` `TestMissingTests`":                               1,
	} {
		if found := missing(text); len(found) != want {
			t.Errorf("%s: found %q", text, found)
		}
	}
}

// missing lists the tests that are not in the package which a text names with
// them.
func missing(text string) (problems []string) {
	for _, place := range shownBy.FindAllStringSubmatch(text, -1) {
		for _, dir := range inQuotes.FindAllStringSubmatch(place[1], -1) {
			source := testsOf(dir[1])
			for _, test := range inQuotes.FindAllStringSubmatch(place[2], -1) {
				if !strings.Contains(source, "\nfunc "+test[1]+"(") {
					problems = append(problems, fmt.Sprintf("%s has no test %s", dir[1], test[1]))
				}
			}
		}
	}
	return problems
}

// testsOf is the source of the tests of a package, "" if it has none.
func testsOf(dir string) string {
	files, err := filepath.Glob("../../../" + dir + "/*_test.go")
	if err != nil {
		return ""
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return ""
		}
		all.Write(text)
	}
	return all.String()
}
