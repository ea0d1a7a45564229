package main

import "github.com/ctr-prune/ctr-prune/prune"

// quietView shows only the names of what goes or went.
type quietView struct{ out *printer }

func (v quietView) show(doc prune.Document) error {
	if doc.Kind == prune.DocumentReport {
		for _, record := range doc.Removed {
			v.out.line("%s", v.out.name(record.Name))
		}
		return v.out.flush()
	}
	for _, image := range doc.Images {
		if image.Action != prune.Keep {
			v.out.line("%s", v.out.name(image.Name))
		}
	}
	return v.out.flush()
}
