package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licences are phrases that no other of these licences has, without their line
// breaks and in lower case.
var licences = []struct {
	id      string
	phrases []string
}{
	{"Apache-2.0", []string{"apache license version 2.0, january 2004", "grant of patent license"}},
	{"Apache-2.0", []string{"licensed under the apache license, version 2.0"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products derived from"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "the following disclaimer in the documentation"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose"}},
	{"MPL-2.0", []string{"mozilla public license version 2.0", "covered software"}},
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.(txt|md))?$`)

// spaces are what may stand between two words: some texts are marked as quoted.
var spaces = regexp.MustCompile(`[\s>]+`)

// errLicence is the error for a licence that a person has to look at.
var errLicence = errors.New("its licence is not known: look at it, and add it to the table")

// licenceOf names the licences of the files in a folder that are named so.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking for a licence: %w", err)
	}
	var found []string
	for _, e := range entries {
		if !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		ids := identify(string(text))
		if len(ids) == 0 {
			return "", fmt.Errorf("%s: %w", filepath.Join(dir, e.Name()), errLicence)
		}
		found = append(found, ids...)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("there is no licence in %s: %w", dir, errLicence)
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " AND "), nil
}

// identify names the licences that a text has all phrases of. Who keeps the
// three clauses keeps the two.
func identify(text string) []string {
	plain := strings.ToLower(spaces.ReplaceAllString(text, " "))
	var ids []string
	for _, l := range licences {
		lacks := func(phrase string) bool { return !strings.Contains(plain, phrase) }
		if slices.ContainsFunc(l.phrases, lacks) || l.id == "BSD-2-Clause" && slices.Contains(ids, "BSD-3-Clause") {
			continue
		}
		ids = append(ids, l.id)
	}
	return ids
}
