package rules

import (
	"errors"
	"strings"
	"testing"
)

// What is no plan file is refused in a sentence that says why.
func TestNoPlanFiles(t *testing.T) {
	const plan = `{"schemaVersion": 1, "kind": "plan", "store": {"id": "x"}, "images": []}`
	if _, err := ParseSelection(strings.NewReader(plan + "\n")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"":                                      "it is empty",
		plan[:40]:                               "it is truncated",
		"[]":                                    "it is a JSON array",
		"garbage":                               "invalid character",
		plan + plan:                             "something follows the plan in it",
		plan + " garbage":                       "something follows the plan in it",
		strings.Replace(plan, `[]`, `"all"`, 1): "images is a JSON string",
		strings.Replace(plan, `"plan"`, `"report"`, 1):             `its kind is "report"`,
		strings.Replace(plan, `: 1`, `: 2`, 1):                     "schema version 2",
		strings.Replace(plan, `"x"`, `""`, 1):                      "does not say for which store",
		strings.Replace(plan, `, "images": []`, ``, 1):             "has no list of images",
		strings.Replace(plan, `"images": []`, `"images": null`, 1): "has no list of images",
	} {
		selection, err := ParseSelection(strings.NewReader(file))
		var wrong *PolicyError
		if !errors.As(err, &wrong) || selection != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want one with %q", file, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "prune.") {
			t.Errorf("%s: it names a type of Go: %v", file, err)
		}
	}
}
