package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// aProgram stands in for ctr-prune, and completes the same for all shells.
const aProgram = "#!/bin/sh\necho complete $*\n"

// prepared is what packages of a small program are made of.
func prepared(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	o := options{
		root: "../../..", out: filepath.Join(dir, "out"), version: "v1.2.3", program: filepath.Join(dir, "amd64", "ctr-prune"),
		created: time.Unix(1_700_000_000, 0).UTC(),
	}
	for _, arch := range []string{"amd64", "arm64"} {
		p := platform{arch, filepath.Join(dir, arch)}
		err := errors.Join(os.Mkdir(p.dir, 0o700), os.WriteFile(filepath.Join(p.dir, "ctr-prune"), []byte(aProgram), 0o700),
			os.WriteFile(filepath.Join(p.dir, "ctr-prune.cdx.json"), []byte(`{"bomFormat":"CycloneDX"}`), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		o.platforms = append(o.platforms, p)
	}
	return o
}

// inEach are the files of every package, with their modes. The manual pages are
// counted, because there are many.
var inEach = map[string]string{
	"/usr/bin/ctr-prune":                                  "-rwxr-xr-x",
	"/usr/share/man/man1/ctr-prune.1.gz":                  "-rw-r--r--",
	"/usr/share/man/man1/ctr-prune-serve.1.gz":            "-rw-r--r--",
	"/usr/share/bash-completion/completions/ctr-prune":    "-rw-r--r--",
	"/usr/share/fish/vendor_completions.d/ctr-prune.fish": "-rw-r--r--",
	"/etc/ctr-prune/config.yaml":                          "-rw-r--r--",
	"/usr/lib/systemd/system/ctr-prune.service":           "-rw-r--r--",
	"/usr/lib/systemd/system/ctr-prune-run.service":       "-rw-r--r--",
	"/usr/lib/systemd/system/ctr-prune-run.timer":         "-rw-r--r--",
	"/usr/share/doc/ctr-prune/licences.md":                "-rw-r--r--",
	"/usr/share/zsh/vendor-completions/_ctr-prune deb":    "-rw-r--r--",
	"/usr/share/doc/ctr-prune/copyright deb":              "-rw-r--r--",
	"/usr/share/doc/ctr-prune/changelog.gz deb":           "-rw-r--r--",
	"/usr/share/lintian/overrides/ctr-prune deb":          "-rw-r--r--",
	"/usr/share/zsh/site-functions/_ctr-prune rpm":        "-rw-r--r--",
	"/usr/share/licenses/ctr-prune/LICENSE rpm":           "-rw-r--r--",
	"/usr/share/zsh/site-functions/_ctr-prune apk":        "-rw-r--r--",
}

// wanted are the files that a package has.
func wanted(format string) map[string]string {
	files := make(map[string]string)
	for name, mode := range inEach {
		name, only, limited := strings.Cut(name, " ")
		if !limited || only == format {
			files[name] = mode
		}
	}
	return files
}

// Every package has what belongs into it and nothing else, says what it is, and leaves
// the configuration to whoever changes it.
func TestWhatIsInThePackages(t *testing.T) {
	o := prepared(t)
	if err := o.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct{ name, format string }{
		{"ctr-prune_1.2.3_amd64.deb", formatDeb}, {"ctr-prune_1.2.3_arm64.deb", formatDeb},
		{"ctr-prune-1.2.3-1.x86_64.rpm", formatRPM}, {"ctr-prune-1.2.3-1.aarch64.rpm", formatRPM},
		{"ctr-prune_1.2.3_x86_64.apk", formatAPK}, {"ctr-prune_1.2.3_aarch64.apk", formatAPK},
	} {
		t.Run(p.name, func(t *testing.T) {
			path := filepath.Join(o.out, p.name)
			files, program := listed(t, p.format, path)
			pages := 0
			for name := range files {
				if strings.HasPrefix(name, "/usr/share/man/man1/") && inEach[name] == "" {
					pages++
					delete(files, name)
				}
			}
			if diff := cmp.Diff(wanted(p.format), files); diff != "" || pages < 15 || program != aProgram {
				t.Errorf("files (- wanted, + are there), and %d pages:\n%s\nthe program is %q", pages, diff, program)
			}
			saysWhatItIs(t, p.format, path)
		})
	}
}

// listed are the files of a package with their modes, and the program among them.
func listed(t *testing.T, format, path string) (files map[string]string, program string) {
	t.Helper()
	var archive []byte
	switch format {
	case formatDeb:
		archive = output(t, "dpkg-deb", "--fsys-tarfile", path)
	case formatRPM:
		return listedRPM(t, path)
	case formatAPK: // three archives after one another, each compressed
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if archive, err = io.ReadAll(plain); err != nil {
			t.Fatal(err)
		}
	}
	files = make(map[string]string)
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, program
		}
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + strings.TrimLeft(header.Name, "./")
		if header.Typeflag != tar.TypeReg || strings.HasPrefix(header.Name, ".") && format == formatAPK {
			continue
		}
		if header.Uid != 0 || header.Gid != 0 || !header.ModTime.Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%s belongs to %d:%d and is of %s", name, header.Uid, header.Gid, header.ModTime)
		}
		files[name] = header.FileInfo().Mode().String()
		if name == "/usr/bin/ctr-prune" {
			body, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			program = string(body)
		}
	}
}

func listedRPM(t *testing.T, path string) (files map[string]string, program string) {
	t.Helper()
	files = make(map[string]string)
	list := output(t, "rpm", "-qp", "--nosignature", "--queryformat", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}\n]", path)
	for line := range strings.Lines(string(list)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "root" {
			t.Fatalf("rpm lists %q", line)
		}
		if !strings.HasPrefix(f[1], "d") {
			files[f[0]] = f[1]
		}
	}
	archive := output(t, "sh", "-c", `rpm2archive -n - < "$0"`, path)
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimLeft(header.Name, "./") == "usr/bin/ctr-prune" {
			body, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			return files, string(body)
		}
	}
}

// saysWhatItIs looks at what the tools of a distribution show of a package.
func saysWhatItIs(t *testing.T, format, path string) {
	t.Helper()
	arch := map[bool]string{true: "arm64|aarch64", false: "amd64|x86_64"}[strings.Contains(path, "arm64") || strings.Contains(path, "aarch64")]
	var said []byte
	var want []string
	switch format {
	case formatDeb:
		said = append(output(t, "dpkg-deb", "--info", path), output(t, "dpkg-deb", "--info", path, "conffiles")...)
		want = []string{`Package: ctr-prune\n`, `Version: 1\.2\.3\n`, `Architecture: (` + arch + `)\n`, `Maintainer: .*@`, `(?m)^/etc/ctr-prune/config\.yaml$`}
	case formatRPM:
		said = output(t, "rpm", "-qp", "--nosignature", "--queryformat", "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{BUILDHOST}\n[%{FILENAMES} %{FILEFLAGS:fflags}\n]", path)
		want = []string{`ctr-prune 1\.2\.3 (` + arch + `) Apache-2\.0 localhost\n`, `/etc/ctr-prune/config\.yaml cn\n`, `LICENSE l\n`}
	case formatAPK:
		said = output(t, "tar", "-xzOf", path, ".PKGINFO")
		want = []string{`pkgname = ctr-prune\n`, `pkgver = 1\.2\.3\n`, `arch = (` + arch + `)\n`, `license = Apache-2\.0\n`}
	}
	for _, text := range want {
		if !regexp.MustCompile(text).Match(said) {
			t.Errorf("nothing says %q:\n%s", text, said)
		}
	}
}

// output is what a program of the distribution prints.
func output(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	if strings.HasPrefix(program, "rpm") {
		if _, err := parts.Ensure(t.Context(), parts.RPM); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = &stderr
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, stderr.Bytes())
	}
	return said
}

// The same programs give the same bytes, whatever the times and the modes of the files
// are that they are made of.
func TestSameBytesEachTime(t *testing.T) {
	var sums [2]map[string]string
	for i := range sums {
		o := prepared(t)
		o.platforms = o.platforms[:1]
		later := time.Unix(1_600_000_000+int64(i)*1000, 0)
		if err := os.Chtimes(filepath.Join(o.platforms[0].dir, "ctr-prune"), later, later); err != nil {
			t.Fatal(err)
		}
		if err := o.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		sums[i] = make(map[string]string)
		entries, err := os.ReadDir(o.out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			body, err := os.ReadFile(filepath.Join(o.out, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			sums[i][e.Name()] = fmt.Sprintf("%x", sha256.Sum256(body))
		}
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" || len(sums[0]) != 5 {
		t.Errorf("%d files, of which differ:\n%s", len(sums[0]), diff)
	}
}

// The checksums are those of all files, and their signature is that of the key.
func TestChecksumsAreSigned(t *testing.T) {
	o := prepared(t)
	o.platforms, o.formats = o.platforms[:1], []string{formatAPK}
	o.key = filepath.Join(t.TempDir(), "key")
	output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", o.key)
	if err := o.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(o.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	signers := filepath.Join(t.TempDir(), "allowed_signers")
	if err := os.WriteFile(signers, slices.Concat([]byte("releases "), public), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := `ssh-keygen -Y verify -f "$0" -I releases -n file -s SHA256SUMS.sig < SHA256SUMS && sha256sum --check --strict SHA256SUMS`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", verify, signers)
	cmd.Dir = o.out
	said, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(said), ": OK\n") != 2 {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestVersions(t *testing.T) {
	for described, want := range map[string][3]string{
		"v1.2.3":                  {"1.2.3", "1.2.3", "1.2.3"},
		"v1.2.3-rc.1":             {"1.2.3~rc.1", "1.2.3~rc.1", "1.2.3_rc1"},
		"v1.2.3-5-g0123abc":       {"1.2.3+git5.0123abc", "1.2.3+git5.0123abc", "1.2.3_git5"},
		"v1.2.3-rc.1-5-g0123abc":  {"1.2.3~rc.1+git5.0123abc", "1.2.3~rc.1+git5.0123abc", "1.2.3_git5"},
		"v1.2.3-5-g0123abc-dirty": {"1.2.3+git5.0123abc.dirty", "1.2.3+git5.0123abc.dirty", "1.2.3_git5"},
		"v1.2.3-dirty":            {"1.2.3+dirty", "1.2.3+dirty", "1.2.3"},
		"25e4de8":                 {"0.0.0+git0.25e4de8", "0.0.0+git0.25e4de8", "0.0.0_git0"},
		"25e4de8-dirty":           {"0.0.0+git0.25e4de8.dirty", "0.0.0+git0.25e4de8.dirty", "0.0.0_git0"},
		"devel":                   {"0.0.0+git0.devel", "0.0.0+git0.devel", "0.0.0_git0"},
	} {
		apk := versionFor(formatAPK, described)
		alpine := apk.number
		if apk.before != "" {
			alpine += "_" + apk.before
		}
		got := [3]string{versionFor(formatDeb, described).debian(), versionFor(formatRPM, described).debian(), alpine}
		if got != want {
			t.Errorf("%s: %q, want %q", described, got, want)
		}
	}
}
