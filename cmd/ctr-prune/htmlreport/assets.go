package htmlreport

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed assets
var assets embed.FS

// library lays the treemap out. Its version, source and checksum are in
// assets/d3-hierarchy/README.md; it goes into every file with its licence.
const library = "d3-hierarchy/d3-hierarchy.min.js"

// scripts are the parts of the page's own program, in the order in which
// they are put together.
var scripts = []string{
	"format.js", "dom.js", "tree.js", "layout.js", "totals.js", "tile.js", "labels.js", "map.js",
	"mapkeys.js", "maptable.js", "rows.js", "table.js", "messages.js", "node.js", "theme.js", "main.js",
}

var styles = []string{"base.css", "colors.css", "totals.css", "map.css", "table.css", "node.css", "print.css"}

func asset(name string) (string, error) {
	b, err := assets.ReadFile("assets/" + name)
	return string(b), err
}

// join puts assets together, with a licence or wrapper around them.
func join(names []string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		text, err := asset(name)
		if err != nil {
			return "", err
		}
		all.WriteString(text)
	}
	return all.String(), nil
}

// program returns the page's own script.
func program() (string, error) {
	text, err := join(scripts)
	return "\n'use strict';\n(() => {\n" + text + "})();\n", err
}

// layouter returns the library with its licence.
func layouter() (string, error) {
	licence, err := asset("d3-hierarchy/LICENSE")
	if err != nil {
		return "", err
	}
	text, err := asset(library)
	return "\n/*!\n" + licence + "*/\n" + text, err
}

// source is how a Content-Security-Policy names an inline script or style.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
}
