package main

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Sizes of which only a bound is known are shown as that, with a sentence, and
// no filter leaves their image out for them.
func TestBoundsAreTold(t *testing.T) {
	usage := usageDoc()
	usage.Images = usage.Images[:1]
	usage.Images[0].AtLeast = true
	usage.Objects[0].ImagesAtLeast = true
	going := []prune.Going{{Name: "a", Bytes: 1000, AtLeast: true}}
	for name, show := range map[string]func(*terminal.Printer){
		"≥42MB ≥41MB ≥2": func(out *terminal.Printer) { text.Usage(out, usage, fixedNow()) },
		"≥5B": func(out *terminal.Printer) {
			text.Check(out, text.Checked{Findings: []prune.Finding{{Problem: prune.ProblemIncomplete, Bytes: 5, AtLeast: true}}})
		},
		"≥1kB": func(out *terminal.Printer) { text.Summary(out, prune.Document{}, going) },
	} {
		f := newFake("")
		out := f.printer(f.stdout)
		show(out)
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, size := range append(strings.Fields(name), "not all of it") {
			if !strings.Contains(f.out.String(), size) {
				t.Errorf("there is no %q in:\n%s", size, f.out)
			}
		}
	}
	for filter, want := range map[string]int{"size=1GB": 1, "size!=1GB": 1, "size=1MB": 1, "size!=1MB": 0, "unique=1GB": 0, "unused=false": 0} {
		choose, err := (&usageOptions{sort: "size", filters: []string{filter}}).chooser(fixedNow())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(choose(usage.Images)); got != want {
			t.Errorf("%s chooses %d images, want %d", filter, got, want)
		}
	}
}
