package main

import (
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// quietView shows only the names of what goes or went.
type quietView struct{ out *terminal.Printer }

func (v quietView) show(doc prune.Document) error {
	if doc.Kind == prune.DocumentReport {
		for _, record := range doc.Removed {
			v.out.Line("%s", v.out.Name(record.Name))
		}
		return v.out.Flush()
	}
	for _, image := range doc.Images {
		if image.Action != prune.Keep {
			v.out.Line("%s", v.out.Name(image.Name))
		}
	}
	return v.out.Flush()
}
