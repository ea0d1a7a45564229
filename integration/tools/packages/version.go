package main

import (
	"regexp"
	"strings"
)

// version is one as packages sort it: a number, what comes before it (a release
// candidate), and what comes after it (commits since).
type version struct{ number, before, after string }

// described is what git describe says of a commit: a tag, how many commits there are
// since, which one it is, and that something is not committed.
var described = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.]+?))??(?:-(\d+)-g([0-9a-f]+))?(-dirty)?$`)

// versionFor is the version for a kind of packages. Where there is no tag, it is older
// than every one that has.
func versionFor(format, text string) version {
	m := described.FindStringSubmatch(text)
	if m == nil {
		m = []string{"", "0.0.0", "", "0", notInVersions.ReplaceAllString(text, "."), ""}
	}
	v := version{number: m[1], before: m[2]}
	commits, which := m[3], strings.Trim(m[4]+strings.ReplaceAll(m[5], "-", "."), ".")
	switch {
	case format == formatAPK: // knows a few words, each with a number
		v.before = strings.ReplaceAll(v.before, ".", "")
		if commits != "" {
			v.before = "git" + commits
		}
	case commits != "":
		v.after = "git" + commits + "." + which
	default:
		v.after = which
	}
	return v
}

var notInVersions = regexp.MustCompile(`[^0-9A-Za-z]+`)

// semantic is the version as nfpm is told it, which writes it as each kind of packages
// wants it.
func (v version) semantic() string { return v.text("-") }

// debian is the version as the deb has it.
func (v version) debian() string { return v.text("~") }

func (v version) text(before string) string {
	text := v.number
	if v.before != "" {
		text += before + v.before
	}
	if v.after != "" {
		text += "+" + v.after
	}
	return text
}
