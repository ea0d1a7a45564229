package policyfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/policyfile"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// folder writes files, by name, into a folder that only this user may write to.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRead(t *testing.T) {
	const policy = "version: 1\nprotect: {names: [own], files: [\"d/*.txt\", more]}\nrules: []\n"
	good := map[string]string{"p.yaml": policy, "d/b.txt": "b\n", "d/a.txt": "a # why\n", "d/.hidden.txt": "[", "d/other": "[", "more": "c\n"}
	without := func(name string) map[string]string {
		files := make(map[string]string)
		for n, text := range good {
			if n != name {
				files[n] = text
			}
		}
		return files
	}
	broken := without("")
	broken["more"], broken["d/a.txt"] = "x\n[\n", "a b\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string // the patterns, or what is wrong
	}{
		"patterns":              {good, "[own a b c]"},
		"no file in the folder": {map[string]string{"p.yaml": policy, "d/other": "", "more": ""}, "[own]"},
		"a file is missing":     {without("more"), "open more: no such file or directory"},
		"the folder is missing": {map[string]string{"p.yaml": policy, "more": ""}, "open d: no such file or directory"},
		"the policy is missing": {without("p.yaml"), "open p.yaml: no such file or directory"},
		"two files are broken": {broken, `d/a.txt:1:1: "a b" has white space or control characters: write it without` +
			"\n" + `more:2:1: "[" is not a pattern: only * and ** are special, there are no regular expressions`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, c.files)
			p, err := policyfile.Reader{Judge: trust.Self()}.Read(context.Background(), filepath.Join(dir, "p.yaml"))
			got := strings.ReplaceAll(fmt.Sprint(err), dir+"/", "")
			if err == nil {
				got = fmt.Sprint(p.Protect.Names)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// The mount of a ConfigMap: files are links into a hidden folder, which is swapped as a
// whole, and the mode of the mount says that everybody may write to it.
func TestMountOfAConfigMap(t *testing.T) {
	dir := folder(t, map[string]string{
		"p.yaml": "version: 1\nprotect: {files: [\"d/*.txt\"]}\n", "d/..old/w.txt": "before\n", "d/..new/w.txt": "after # deployment a/b\n",
	})
	mount := filepath.Join(dir, "d")
	err := errors.Join(os.Symlink("..old", filepath.Join(mount, "..data")), os.Symlink("..data/w.txt", filepath.Join(mount, "w.txt")), os.Chmod(mount, 0o777))
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		p, err := policyfile.Reader{Judge: trust.Self(), Insecure: true}.Read(context.Background(), filepath.Join(dir, "p.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%v %x", p.Protect.Names, p.Sum)
	}
	first := read()
	if err := errors.Join(os.Symlink("..new", filepath.Join(mount, "..tmp")), os.Rename(filepath.Join(mount, "..tmp"), filepath.Join(mount, "..data"))); err != nil {
		t.Fatal(err)
	}
	second := read()
	if !strings.HasPrefix(first, "[before] ") || !strings.HasPrefix(second, "[after] ") {
		t.Errorf("read was %s, and then %s", first, second)
	}
}

// A file that others may write to, be it the policy or one that it names, is
// refused, unless all are believed.
func TestReadRefusesFilesOfOthers(t *testing.T) {
	for _, name := range []string{"p.yaml", "d/a.txt", "d"} {
		dir := folder(t, map[string]string{"p.yaml": "version: 1\nprotect: {files: [\"d/*\"]}\n", "d/a.txt": "a\n"})
		if err := os.Chmod(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		_, err := policyfile.Reader{Judge: trust.Self()}.Read(context.Background(), filepath.Join(dir, "p.yaml"))
		if cause.CodeOf(err) != "policy-file-untrusted" || !strings.Contains(err.Error(), filepath.Join(dir, name)+": every user may write to this file") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (policyfile.Reader{Insecure: true}).Read(context.Background(), filepath.Join(dir, "p.yaml")); err != nil {
			t.Errorf("%s, believed: %v", name, err)
		}
	}
}

// Reading ends with the context: a file may be a pipe that nobody writes to. What
// is too long is refused without being read.
func TestReadEnds(t *testing.T) {
	dir := folder(t, map[string]string{"long": strings.Repeat("#", retention.MaxFile+1)})
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (policyfile.Reader{Judge: trust.Self()}).Read(ctx, pipe); !errors.Is(err, context.Canceled) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := (policyfile.Reader{Judge: trust.Self()}).Read(context.Background(), filepath.Join(dir, "long")); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
		t.Errorf("a long file: %v", err)
	}
}

// The sum is another one when any of the files has changed, and only then.
func TestSumIsOfAllFiles(t *testing.T) {
	dir := folder(t, map[string]string{"p.yaml": "version: 1\nprotect: {files: [\"d/*\"]}\n", "d/a.txt": "a\n"})
	sum := func() [32]byte {
		t.Helper()
		p, err := policyfile.Reader{Judge: trust.Self()}.Read(context.Background(), filepath.Join(dir, "p.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return p.Sum
	}
	seen := map[[32]byte]string{sum(): "the first"}
	if seen[sum()] != "the first" {
		t.Error("the sum of the same files is another")
	}
	for name, text := range map[string]string{"d/a.txt": "b\n", "d/b.txt": "a\n", "p.yaml": "version: 1\nprotect: {files: [\"d/*\"]}\nminAge: 1h\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		now := sum()
		if before, there := seen[now]; there {
			t.Errorf("the sum with another %s is that of %s", name, before)
		}
		seen[now] = name
	}
}
