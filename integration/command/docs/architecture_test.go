package docs

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// ruleRow is a row of the table in docs/architecture.md: a question, the file
// and the function that answer it.
var ruleRow = regexp.MustCompile("(?m)^\\| (.+) \\| `([^`]+\\.go)` \\| `(\\w+)` \\|$")

// TestRulesAreWhereArchitectureSays holds the table to the code: whoever looks
// a rule up must find it.
func TestRulesAreWhereArchitectureSays(t *testing.T) {
	text := read(t, "docs/architecture.md")
	if rows := len(ruleRow.FindAllString(text, -1)); rows < 45 {
		t.Errorf("docs/architecture.md has %d questions", rows)
	}
	for _, problem := range misplaced(text) {
		t.Error(problem)
	}
}

// TestMisplacedRules shows that rows which are wrong are found.
func TestMisplacedRules(t *testing.T) {
	for _, row := range []string{
		"| a rule in no file? | `prune/nowhere.go` | `Execute` |",
		"| a rule in another file? | `prune/execute.go` | `ReadPlan` |",
		"| a rule that is only mentioned? | `prune/execute.go` | `run` |",
	} {
		if len(misplaced(row)) != 1 {
			t.Errorf("nothing is wrong with %s", row)
		}
	}
	if found := misplaced("| a rule? | `prune/execute.go` | `Execute` |"); len(found) > 0 {
		t.Error(found)
	}
}

// misplaced lists the rows whose function is not in its file.
func misplaced(text string) (problems []string) {
	for _, row := range ruleRow.FindAllStringSubmatch(text, -1) {
		question, file, function := row[1], row[2], row[3]
		source, err := os.ReadFile("../../../" + file)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%q: %v", question, err))
			continue
		}
		declared := regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + function + `[(\[]`)
		if !declared.Match(source) {
			problems = append(problems, fmt.Sprintf("%q: there is no function %s in %s", question, function, file))
		}
	}
	return problems
}
