package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// component is one part of a program, in one version.
type component struct {
	// Name is a module's path, or what its makers call it.
	Name    string
	Version string
	// Kind is the type of its package URL.
	Kind string
	// Licence is an identifier of the SPDX list, or several with AND.
	Licence string
}

// purl is the component's package URL.
func (c component) purl() string { return "pkg:" + c.Kind + "/" + c.Name + "@" + c.Version }

// read returns the program's own module and all that it is made of, sorted.
// The version is what the linker was told, which Go does not write down.
func read(ctx context.Context, program, version string) (self component, parts []component, err error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return self, nil, fmt.Errorf("reading what %s was built from: %w", program, err)
	}
	paths := []string{info.Main.Path}
	for _, dep := range info.Deps {
		paths = append(paths, dep.Path)
	}
	dirs, err := moduleDirs(ctx, paths)
	if err != nil {
		return self, nil, err
	}
	find := func(c component, dir string) component {
		if err == nil {
			if c.Licence, err = licenceOf(dir); err != nil {
				err = fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		return c
	}
	home := dirs[info.Main.Path]
	self = find(component{Name: info.Main.Path, Version: cmp.Or(version, info.Main.Version), Kind: "golang"}, home)
	for _, dep := range info.Deps {
		parts = append(parts, find(component{Name: dep.Path, Version: dep.Version, Kind: "golang"}, dirs[dep.Path]))
	}
	goroot, rootErr := output(ctx, "go", "env", "GOROOT")
	d3, d3Err := bundled(home)
	if err = cmp.Or(err, rootErr, d3Err); err != nil {
		return self, nil, err
	}
	std := component{Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"), Kind: "golang"}
	parts = append(parts, find(std, strings.TrimSpace(string(goroot))), find(d3, filepath.Join(home, bundledDir)))
	slices.SortFunc(parts, func(a, b component) int { return cmp.Compare(a.purl(), b.purl()) })
	return self, parts, err
}

// moduleDirs returns where the sources of modules are.
func moduleDirs(ctx context.Context, paths []string) (map[string]string, error) {
	out, err := output(ctx, "go", append([]string{"list", "-m", "-json"}, paths...)...)
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var m struct{ Path, Dir string }
		if err := dec.Decode(&m); err != nil {
			return nil, fmt.Errorf("reading the list of modules: %w", err)
		}
		dirs[m.Path] = m.Dir
	}
	return dirs, nil
}

func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return out, nil
}

// bundledDir holds the library that the pages of --html carry.
const bundledDir = "cmd/ctr-prune/htmlreport/assets/d3-hierarchy"

var bundledTitle = regexp.MustCompile(`(?m)^# (\S+) (\d\S*)$`)

// bundled reads the name and the version of that library from its README.
func bundled(home string) (component, error) {
	text, err := os.ReadFile(filepath.Join(home, bundledDir, "README.md"))
	if err != nil {
		return component{}, err
	}
	title := bundledTitle.FindSubmatch(text)
	if title == nil {
		return component{}, fmt.Errorf("%s/README.md does not begin with a name and a version", bundledDir)
	}
	return component{Name: string(title[1]), Version: string(title[2]), Kind: "npm"}, nil
}
