package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// filtered says what the filters kept, and which of them match no image at all.
func (v document) filtered(doc prune.Document) {
	kept, phrases := 0, []string{}
	counts, said := make(map[string]int), make(map[string]string)
	for _, filter := range doc.Policy.Filters {
		said[filter] = unmatched(doc, filter)
	}
	for _, image := range doc.Images {
		if image.ReasonParts != nil && said[image.ReasonParts.Filter] != "" {
			continue
		}
		if phrase := filteredBy(image.Cause); phrase != "" && image.Action == prune.Keep {
			if counts[phrase] == 0 {
				phrases = append(phrases, phrase)
			}
			counts[phrase]++
			kept++
		}
	}
	if kept > 0 {
		for i, phrase := range phrases {
			phrases[i] = fmt.Sprintf("%d %s", counts[phrase], phrase)
		}
		v.out.Sentence("By filters, %s stay: %s.", terminal.Count(kept, "image record"), strings.Join(phrases, ", "))
	}
	for _, filter := range doc.Policy.Filters {
		if said[filter] != "" {
			v.out.Sentence("%s", said[filter])
		}
	}
}

// filteredBy says what a filter objects to, "" if the cause is none of a filter.
// What was not named is not told: it was not asked for.
func filteredBy(c prune.Cause) string {
	if c.ReasonParts == nil || strings.HasPrefix(c.ReasonParts.Filter, "id=") {
		return ""
	}
	filter := c.ReasonParts.Filter
	_, value, _ := strings.Cut(filter, "=")
	switch c.ReasonCode {
	case "younger", "not-before":
		return "not older than " + value
	case "newer":
		return "newer than " + value
	case "not-since":
		return "not newer than " + value
	case "age-unknown":
		return "of unknown age"
	case "in-future":
		return "with a time in the future"
	case "name-not-matched", "other-name":
		return "not matched by " + filter
	case "name-excluded", "label-excluded":
		return "protected by " + filter
	case "label-missing":
		return "without " + filter
	case "labels-unreadable":
		return "whose labels cannot be read"
	}
	return ""
}

// unmatched says that no image matches a filter, and what may have been meant.
func unmatched(doc prune.Document, filter string) string {
	key, pattern, _ := strings.Cut(filter, "=")
	switch {
	case key == "label":
		return ofRecords(doc, filter)
	case key != "reference" || len(doc.Images) == 0 || matches(doc, filter):
		return ""
	}
	said := "No image matches " + filter
	if strings.Contains(pattern, ",") {
		return said + "."
	}
	for _, wider := range widened(pattern) {
		if matches(doc, key+"="+wider) {
			return said + "; " + narrowness(pattern, wider) + ": try '" + wider + "'."
		}
	}
	return said + "."
}

// widened are patterns that were possibly meant by one that matches nothing: with more
// before it, with more folders before its end, or with another end.
func widened(pattern string) (all []string) {
	const most = 3 // folders
	for n := range most {
		all = append(all, strings.Repeat("*/", n+1)+pattern)
	}
	if slash := strings.LastIndex(pattern, "/") + 1; slash > 0 {
		for n := range most {
			all = append(all, pattern[:slash]+strings.Repeat("*/", n+1)+pattern[slash:])
		}
	}
	return append(all, pattern+"*")
}

// narrowness is why a pattern does not match what a wider one does.
func narrowness(pattern, wider string) string {
	switch {
	case wider == pattern+"*":
		return "a pattern is for whole names"
	case strings.Contains(pattern, "*"):
		return "* does not cross /"
	default:
		return "names begin with a registry and a path"
	}
}

// matches says whether a filter of names matches any image.
func matches(doc prune.Document, filter string) bool {
	set, err := filters.Parse(filters.Options{All: true, Filters: []string{filter}}, time.Time{})
	return err != nil || slices.ContainsFunc(doc.Images, func(image prune.ImageDocument) bool {
		v := set.Match(filters.Subject{Names: []string{image.Name}}, time.Time{})
		return v.Match
	})
}

// ofRecords says of how many images only the record has a label.
func ofRecords(doc prune.Document, filter string) string {
	n := 0
	for _, image := range doc.Images {
		has := slices.ContainsFunc(image.Details, func(c prune.Cause) bool { return c.ReasonCode == "label-of-record" })
		if has && image.ReasonParts != nil && image.ReasonParts.Filter == filter {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s asks for a label that images were built with; of %s only the record in containerd has it.", filter, terminal.Count(n, "kept image"))
}

// named leaves only what a person named by name or ID, and what goes with that,
// if anything was named.
func named(doc prune.Document) prune.Document {
	other := func(image prune.ImageDocument) bool { return image.Action == prune.Keep && !image.Named }
	if slices.ContainsFunc(doc.Images, func(image prune.ImageDocument) bool { return image.Named }) {
		doc.Images = slices.DeleteFunc(slices.Clone(doc.Images), other)
	}
	return doc
}

// NamedAndKept lists what was named and stays.
func NamedAndKept(doc prune.Document) (kept []prune.ImageDocument) {
	for _, image := range doc.Images {
		if image.Named && image.Action == prune.Keep {
			kept = append(kept, image)
		}
	}
	return kept
}
