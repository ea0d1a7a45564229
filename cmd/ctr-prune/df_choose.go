package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
	"github.com/ctr-prune/ctr-prune/prune"
)

// usageFilters are the filters of df.
func usageFilters() []filterKey {
	keys := []filterKey{
		{"unused=", "true|false", "a prune --all would remove it, or keep it"},
		{"reference=", "PATTERN", "one of its names matches, such as nginx or 'ghcr.io/*/*'"},
		{"until=", "AGE|TIME", "its record is at least that old"},
	}
	for _, key := range slices.Sorted(maps.Keys(numbers)) {
		keys = append(keys, filterKey{key + "=", "SIZE", "at least that many bytes, such as 100MB or 1GiB"})
	}
	return keys
}

const usageFilterProse = "With != instead of = the opposite. All filters must match. The totals are always those of the whole store."

// numbers are the keys whose values are bytes.
var numbers = map[string]func(prune.ImageUsage) int64{
	"size":        func(i prune.ImageUsage) int64 { return i.TotalBytes },
	"content":     func(i prune.ImageUsage) int64 { return i.ContentBytes },
	"snapshots":   func(i prune.ImageUsage) int64 { return i.SnapshotBytes },
	"shared":      func(i prune.ImageUsage) int64 { return i.SharedBytes },
	"unique":      func(i prune.ImageUsage) int64 { return i.UniqueBytes },
	"reclaimable": func(i prune.ImageUsage) int64 { return i.ReclaimableBytes },
}

// boundKeys are the keys for which an image may have only a lower bound.
var boundKeys = []string{"size", "content", "snapshots", "shared"}

// ranking compares images for an order; the largest number first, names and
// times ascending.
type ranking = func(a, b prune.ImageUsage) int

func rankings() map[string]ranking {
	all := map[string]ranking{
		"name": func(a, b prune.ImageUsage) int {
			return strings.Compare(text.FirstName(a.Names), text.FirstName(b.Names))
		},
		"namespace": func(a, b prune.ImageUsage) int { return strings.Compare(a.Namespace, b.Namespace) },
		"created":   func(a, b prune.ImageUsage) int { return a.CreatedAt.Compare(b.CreatedAt) },
		"used":      func(a, b prune.ImageUsage) int { return a.LastUsedAt.Compare(b.LastUsedAt) },
	}
	for key, number := range numbers {
		all[key] = func(a, b prune.ImageUsage) int { return cmp.Compare(number(b), number(a)) }
	}
	return all
}

func rankingKeys() []string { return slices.Sorted(maps.Keys(rankings())) }
func rankingNames() string  { return strings.Join(rankingKeys(), ", ") }

// chooser returns what filters and sorts the images.
func (o *usageOptions) chooser(now time.Time) (func([]prune.ImageUsage) []prune.ImageUsage, error) {
	key, reverse := strings.CutPrefix(o.sort, "-")
	rank, ok := rankings()[key]
	if !ok {
		return nil, usagef("--sort %q is unknown: %schoose one of %s", o.sort, spelling.Hint(key, "", rankingKeys()), rankingNames())
	}
	var tests []func(prune.ImageUsage) bool
	for _, typed := range o.filters {
		test, err := usageFilter(typed, now)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(images []prune.ImageUsage) []prune.ImageUsage {
		chosen := []prune.ImageUsage{}
		for _, image := range images {
			if !slices.ContainsFunc(tests, func(test func(prune.ImageUsage) bool) bool { return !test(image) }) {
				chosen = append(chosen, image)
			}
		}
		slices.SortStableFunc(chosen, func(a, b prune.ImageUsage) int {
			if reverse {
				a, b = b, a
			}
			return cmp.Or(rank(a, b), strings.Compare(a.Namespace, b.Namespace), strings.Compare(text.FirstName(a.Names), text.FirstName(b.Names)))
		})
		return chosen
	}, nil
}

// usageFilter parses one filter.
func usageFilter(typed string, now time.Time) (func(prune.ImageUsage) bool, error) {
	key, value, ok := strings.Cut(typed, "=")
	if !ok || value == "" {
		return nil, usagef("--filter %q has no value: type KEY=VALUE, such as unused=true or size=100MB", typed)
	}
	key, not := strings.CutSuffix(key, "!")
	test, err := usageTest(key, value, now)
	if err != nil {
		return nil, err
	}
	return func(i prune.ImageUsage) bool {
		if i.AtLeast && slices.Contains(boundKeys, key) && !test(i) {
			return true // a lower bound: the image may match, so it is not left out
		}
		return test(i) != not
	}, nil
}

func usageTest(key, value string, now time.Time) (func(prune.ImageUsage) bool, error) {
	if number, ok := numbers[key]; ok {
		least, err := filters.ParseSize(value)
		if err != nil {
			return nil, usagef("--filter %s=%s: %s", key, value, err)
		}
		return func(i prune.ImageUsage) bool { return number(i) >= least }, nil
	}
	switch key {
	case "unused":
		if value != "true" && value != "false" {
			return nil, usagef("--filter unused=%s is neither true nor false", value)
		}
		return func(i prune.ImageUsage) bool { return i.Unused == (value == "true") }, nil
	case "until":
		cutoff, err := filters.ParseCutoff(value, now)
		if err != nil {
			return nil, usagef("--filter until=%s: %s", value, err)
		}
		return func(i prune.ImageUsage) bool { return !i.CreatedAt.IsZero() && !i.CreatedAt.After(cutoff) }, nil
	case "reference":
		return referenceTest(value)
	}
	keys := each(usageFilters(), func(k filterKey) string { return strings.TrimSuffix(k.key, "=") })
	return nil, usagef("--filter %q has an unknown key: %schoose one of %s", key, spelling.Hint(key, "", keys), strings.Join(keys, ", "))
}

// referenceTest matches in the same way as the reference filter of a prune.
func referenceTest(pattern string) (func(prune.ImageUsage) bool, error) {
	set, err := filters.Parse(filters.Options{All: true, Filters: []string{"reference=" + pattern}}, time.Time{})
	if err != nil {
		return nil, err
	}
	return func(i prune.ImageUsage) bool {
		return slices.ContainsFunc(i.Names, func(name string) bool {
			return set.Match(filters.Subject{Names: []string{name}}, time.Time{}).Match
		})
	}, nil
}

// completeUsageFilter completes keys, and values where these are known.
func completeUsageFilter(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	key, _, valued := strings.Cut(typed, "=")
	switch {
	case key == "unused":
		return []string{"unused=true", "unused=false"}, cobra.ShellCompDirectiveNoFileComp
	case valued:
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return offered(usageFilters()), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
