package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// entries is a tar with these files.
func entries(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, name := range names {
		if err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(name))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	out := gzip.NewWriter(&b)
	if _, err := out.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compressedXZ(t *testing.T, plain []byte) []byte {
	t.Helper()
	cmd := exec.Command("xz", "--stdout")
	cmd.Stdin = bytes.NewReader(plain)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("install xz for this test: %v", err)
	}
	return out
}

// Whatever a user has is found to be an image, and read with the layout at its top.
func TestImagesOfUsers(t *testing.T) {
	layout := entries(t, "oci-layout", "index.json", "blobs/sha256/a")
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"layout.tar": layout, "layout.tar.gz": zipped(t, layout), "layout.tar.xz": compressedXZ(t, layout),
		"dotted.tar": entries(t, "./index.json", "./oci-layout", "./blobs/sha256/a"),
		"folder.tar": entries(t, "image/blobs/sha256/a", "image/index.json", "image/oci-layout", "elsewhere"),
		"docker.tar": entries(t, "abc.json", "manifest.json", "blobs/sha256/a"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(dir, "layout")
	if err := os.CopyFS(folder, os.DirFS(".")); err != nil { // any files
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "oci-layout"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layout.tar", "layout.tar.gz", "layout.tar.xz", "dotted.tar", "folder.tar", "docker.tar", "layout"} {
		names := topNames(t, filepath.Join(dir, name))
		if !strings.Contains(names, " oci-layout ") && !strings.Contains(names, " manifest.json ") || strings.Contains(names, "elsewhere") {
			t.Errorf("%s is read as%s", name, names)
		}
	}
}

// topNames are the names of a user's image as they are imported.
func topNames(t *testing.T, path string) string {
	t.Helper()
	u, err := findImage(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	in, err := u.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	names := " "
	for list := tar.NewReader(u.rebased(in)); ; {
		header, err := list.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		names += filepath.Clean(header.Name) + " "
	}
}

// What is no image is refused before a store is made.
func TestNoImagesOfUsers(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"text": []byte("this is no archive"), "empty": nil, "other.tar": entries(t, "a", "b"), "deep.tar": entries(t, "a/b/oci-layout"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := findImage(t.Context(), filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), "is no image") {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := demo{root: filepath.Join(dir, "root")}
	if err := d.run(t.Context(), filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("absent: %v", err)
	}
	if _, err := os.Stat(d.root); err == nil {
		t.Error("a store was made")
	}
}
