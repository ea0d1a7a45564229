package retention_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// example is a policy of the documentation, with what it says of names, if it
// does: namespace, name, outcome and rule.
var example = regexp.MustCompile("(?s)```yaml\n(.*?)```\n(?:\n```text\n(.*?)```)?")

// The examples of docs/policy.md are policies, for the schema too, and judge names as
// it says.
func TestExamplesOfTheDocumentation(t *testing.T) {
	text := tw.Must(os.ReadFile("../../../docs/policy.md"))
	schema, judged := policySchema(t), 0
	for _, m := range example.FindAllSubmatch(text, -1) {
		policy, err := retention.Parse("docs/policy.md", m[1])
		if err != nil {
			t.Errorf("%v in\n%s", err, m[1])
			continue
		}
		if schemaRefuses(schema, m[1]) {
			t.Errorf("the schema refuses\n%s", m[1])
		}
		for line := range strings.Lines(string(m[2])) {
			said := strings.Fields(line)
			got := policy.Try(said[0], said[1], strings.HasPrefix(said[1], "<none>@"))
			if want, rule := said[2], strings.Join(said[3:], " "); got.Outcome != want || got.Rule != rule {
				t.Errorf("%s: %s by rule %q, want %s by %q", said[1], got.Outcome, got.Rule, want, rule)
			}
			judged++
		}
	}
	if judged < 16 {
		t.Errorf("only %d names are judged", judged)
	}
}
