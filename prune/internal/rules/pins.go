package rules

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// The labels that pin an image: CRI's with its value, and ours with any.
const (
	LabelPinned = "io.cri-containerd.pinned"
	ValuePinned = "pinned"
	LabelKeep   = "ctr-prune/keep"
)

// Pinned says which label pins a unit, and on which record.
func Pinned(u *Unit) cause.Cause {
	for _, record := range u.Records {
		if record.Labels[LabelPinned] == ValuePinned {
			return cause.Because(cause.CodePinned, cause.Parts{Label: LabelPinned + "=" + ValuePinned, Image: record.Name})
		}
		if _, ok := record.Labels[LabelKeep]; ok {
			return cause.Because(cause.CodePinned, cause.Parts{Label: LabelKeep, Image: record.Name})
		}
	}
	return cause.Cause{}
}

// Pins are the keys of the labels by which a record keeps its image, or itself.
func Pins(record *images.Image) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(record.Labels)), func(key string) bool {
		return key != LabelKeep && !strings.HasPrefix(key, gc.LabelRoot) && (key != LabelPinned || record.Labels[key] != ValuePinned)
	})
}

// A label keeps an image only if it is spelled exactly. One that is made of
// keepWords and wordsOfPins alone, and is not spelled so, was most likely meant
// to keep its image, as "io.cri.containerd.pinned" and "ctr-prune.keep". Words
// that are not here make it a label of somebody's own: "example.com/keep".
var (
	keepWords   = words("pin pinned keep kept retain protect protected preserve noprune")
	wordsOfPins = words("io com cri containerd ctr prune ctrprune nerdctl docker kubernetes k8s kubelet image images gc root label")
	criWords    = words("cri kubernetes k8s kubelet")
)

func words(text string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// Lookalikes are the labels of a record that look as if they kept its image and
// do not, each with the command for one that does. A record whose image is kept
// by another label has none. The unit of the record is only asked for if needed.
func Lookalikes(ns *inventory.Namespace, record *images.Image, unit func() *Unit) []cause.Cause {
	var found []cause.Cause
	for _, key := range slices.Sorted(maps.Keys(record.Labels)) {
		if label := key + "=" + record.Labels[key]; looksLikePin(key, record.Labels[key]) {
			found = append(found, cause.Because(cause.CodeLookalike, cause.Parts{
				Label: label, Image: record.Name, Command: cause.LabelImage(ns.Name, record.Name, insteadOf(key)),
			}))
		}
	}
	if len(found) == 0 || labelledRoot(record).Given() || Pinned(unit()).Given() {
		return nil
	}
	return found
}

// looksLikePin says whether a label that keeps nothing looks as if it did. A
// value that says no asks for nothing.
func looksLikePin(key, value string) bool {
	if key == LabelKeep || key == LabelPinned && value == ValuePinned || denied[strings.ToLower(value)] {
		return false
	}
	pins, collector := false, 0
	for _, word := range wordsOf(key) {
		if !keepWords[word] && !wordsOfPins[word] {
			return false
		}
		pins = pins || keepWords[word]
		if word == "gc" || word == "root" {
			collector++
		}
	}
	return pins || collector == 2
}

var denied = words("false no off 0 never none")

// wordsOf splits a key at whatever is no letter or digit.
func wordsOf(key string) []string {
	return strings.FieldsFunc(strings.ToLower(key), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// insteadOf is the label that does what another one looks like.
func insteadOf(key string) string {
	if slices.ContainsFunc(wordsOf(key), func(word string) bool { return criWords[word] }) {
		return LabelPinned + "=" + ValuePinned
	}
	return LabelKeep + "=yes"
}
