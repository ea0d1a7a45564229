package retention

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every key of the section disk is read.
func TestDiskOfTheExample(t *testing.T) {
	text, err := os.ReadFile("testdata/good/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("example", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Disk{
		Marks: Marks{75, 65}, Critical: 88, Inodes: Marks{85, 75},
		MinFree: Size{20e9, "20GB"}, MaxUsed: Size{200e9, "200GB"}, Reserved: Size{10e9, "10GB"},
		MaxImages: 1500, Check: Age{10 * time.Second, "10s"},
	}
	if diff := cmp.Diff(want, p.Disk); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// When a disk is critical, rules marked as the last do not keep by age or use; by
// number and all they do, and other rules keep as ever.
func TestRulesWhenCritical(t *testing.T) {
	p, err := Parse("policy", []byte(`version: 1
minAge: 1h
rules:
- {name: base, match: {names: [base]}, keep: {last: 2, within: 60d, usedWithin: 60d}, underPressure: last}
- {name: tools, match: {names: [tools]}, keep: all, underPressure: last}
- {name: rest, match: {names: ["**"]}, keep: {within: 3d}}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := p.WhenCritical()
	if c.Rules[0].Keep != (Keep{Last: 2}) || !c.Rules[1].Keep.All || c.Rules[2].Keep != p.Rules[2].Keep || c.MinAge != p.MinAge {
		t.Errorf("%+v", c.Rules)
	}
	if p.Rules[0].Keep.Within.Length == 0 {
		t.Error("the policy itself has changed")
	}
	if none := (*Policy)(nil); none.WhenCritical() != nil {
		t.Error("no policy has rules")
	}
}
