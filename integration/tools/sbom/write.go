package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// The parts of CycloneDX 1.6 that are used
// (https://cyclonedx.org/docs/1.6/json/).
type (
	bom struct {
		Schema       string        `json:"$schema"`
		Format       string        `json:"bomFormat"`
		SpecVersion  string        `json:"specVersion"`
		Version      int           `json:"version"`
		Metadata     bomMetadata   `json:"metadata"`
		Components   []bomPart     `json:"components"`
		Dependencies []bomRelation `json:"dependencies"`
	}
	bomMetadata struct {
		Component bomPart `json:"component"`
	}
	bomPart struct {
		Type     string       `json:"type"`
		Ref      string       `json:"bom-ref"`
		Name     string       `json:"name"`
		Version  string       `json:"version"`
		Licenses []bomLicence `json:"licenses"`
		PURL     string       `json:"purl"`
	}
	bomLicence struct {
		Expression string `json:"expression"`
	}
	bomRelation struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

func part(kind string, c component) bomPart {
	return bomPart{
		Type: kind, Ref: c.purl(), Name: c.Name, Version: c.Version,
		Licenses: []bomLicence{{c.Licence}}, PURL: c.purl(),
	}
}

// writeCycloneDX writes a bill without a serial number and a time, which would
// make each unlike the others.
func writeCycloneDX(w io.Writer, self component, parts []component) error {
	b := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata:     bomMetadata{part("application", self)},
		Dependencies: []bomRelation{{Ref: self.purl()}},
	}
	for _, c := range parts {
		b.Components = append(b.Components, part("library", c))
		b.Dependencies[0].DependsOn = append(b.Dependencies[0].DependsOn, c.purl())
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(b)
}

const head = `# Licences

What is in the program, with its licence by its [SPDX](https://spdx.org/licenses/) name. ctr-prune itself is under
%s. This page is made by ` + "`make licences`" + ` from the program, and a test holds it to that.
` + "`make sbom`" + ` writes the same, with versions, for programs (CycloneDX).

| part | licence |
|---|---|
`

// writeMarkdown leaves the versions out: they stand in go.mod, and a licence
// rarely changes with them.
func writeMarkdown(w io.Writer, self component, parts []component) error {
	if _, err := fmt.Fprintf(w, head, self.Licence); err != nil {
		return err
	}
	for _, c := range parts {
		name := c.Name
		if c.Kind == "golang" && name == "std" {
			name = "Go's standard library"
		}
		if _, err := fmt.Fprintf(w, "| %s | %s |\n", name, c.Licence); err != nil {
			return err
		}
	}
	return nil
}
