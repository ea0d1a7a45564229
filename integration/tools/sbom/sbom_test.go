package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// built is the program, without a version.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ctr-prune")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags=grpcnotrace,nethttpomithttp2", "-trimpath", "-buildvcs=false", "-o", program, "github.com/ctr-prune/ctr-prune/cmd/ctr-prune")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// The page of licences is that of the program.
func TestLicencesAreCurrent(t *testing.T) {
	var got bytes.Buffer
	if err := run(t.Context(), &got, built(t), "", "markdown"); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../../docs/licences.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("docs/licences.md is not current (run: make licences) (-page +program):\n%s", diff)
	}
	for _, name := range []string{"github.com/containerd/containerd/v2", "Go's standard library", "d3-hierarchy"} {
		if !strings.Contains(got.String(), "| "+name+" |") {
			t.Errorf("%s is not listed", name)
		}
	}
}

// The bill names every module once, and is the same whenever it is made.
func TestBillOfMaterials(t *testing.T) {
	program := built(t)
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := run(t.Context(), w, program, "v1.2.3", "cyclonedx"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("two bills differ:\n%s", diff)
	}
	var b bom
	if err := json.Unmarshal(first.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if self := b.Metadata.Component; self.PURL != "pkg:golang/github.com/ctr-prune/ctr-prune@v1.2.3" || self.Licenses[0].Expression != "Apache-2.0" {
		t.Errorf("the program is %+v", self)
	}
	refs := map[string]bool{}
	for _, c := range b.Components {
		if refs[c.Ref] || c.Version == "" || c.Licenses[0].Expression == "" {
			t.Errorf("component %+v", c)
		}
		refs[c.Ref] = true
	}
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	if deps := strings.Count(string(out), "\tdep\t"); len(refs) != deps+2 || len(b.Dependencies[0].DependsOn) != len(refs) {
		t.Errorf("%d components, %d modules", len(refs), deps)
	}
}

func TestIdentify(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted, free of\n charge, to any person obtaining a copy":                                                               "MIT",
		"Redistribution and use in source and binary forms … endorse or promote products derived from … the following disclaimer in the documentation": "BSD-3-Clause",
		"Redistribution and use in source and binary forms … the following disclaimer in the documentation":                                            "BSD-2-Clause",
		"Licensed under the Apache License, Version 2.0 (the \"License\")":                                                                             "Apache-2.0",
		"All rights reserved.": "",
	} {
		if got := strings.Join(identify(text), " "); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	dir := t.TempDir()
	if _, err := licenceOf(dir); err == nil {
		t.Error("a folder without a licence has one")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, err := licenceOf(dir); err == nil {
		t.Errorf("an unknown licence is %q", id)
	}
}
