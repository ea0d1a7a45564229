package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A command line that cannot be used is refused in one sentence before any
// store is looked at: the address here leads nowhere, which would be exit 4.
func TestBadCommandLines(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args string
		want string
	}{
		{"--filter colour=red", `--filter "colour=red" has an unknown key`},
		{"--filter untill=3h", "did you mean until=?"},
		{"--filter dangling", "has no ="},
		{"--filter dangling=maybe", "neither true nor false"},
		{"--filter label=", "has no value"},
		{"--filter reference=[", "is not a pattern"},
		{"--until 72", "type 72h for hours"},
		{"--until -3h", "is negative"},
		{"--until 99999999999999w", "too long"},
		{"--until=", "neither an age nor a time"},
		{"-a --filter dangling=true", "contradicts"},
		{"--namespace=", "--namespace is empty"},
		{"-n default --all-namespaces", "contradict each other"},
		{"--address /x --root /y", "contradict each other"},
		{"--root=", "--root is empty"},
		{"--timeout 0s", "is not above zero"},
		{"--timeout -1m", "is not above zero"},
		{"--timeout soon", `--timeout "soon" is not a duration: type one such as`},
		{"--connect-timeout 3x", `--connect-timeout "3x" is not a duration: type one such as 30s, 10m, 1h30m or 2d`},
		{"--timeout 3", `--timeout "3" is not a duration`},
		{"--timeout=", `--timeout "" is not a duration`},
		{"--all=maybe", "--all=maybe is neither true nor false"},
		{"--grace=", "--grace is empty: give the DURATION, or leave the flag out"},
		{"--html=", "--html is empty: give the FILE"},
		{"--ingests=", "--ingests is empty: give the AGE"},
		{"--format=", "--format is empty"},
		{"--docker-host=", "--docker-host is empty"},
		{"--pods=", "--pods is empty"},
		{"--pods-token-file=", "--pods-token-file is empty"},
		{"plan --output=", "--output is empty: give the FILE"},
		{"--connect-timeout 0s", "is not above zero"},
		{"--dangling-prefix=", "is not a prefix"},
		{"--dangling-prefix a@b", "is not a prefix"},
		{"--format yaml", `--format "yaml" is unknown`},
		{"--format {{.Nme}}", "there is no field .Nme"},
		{"--format {{", "--format: "},
		{"-q --format json", "contradict each other"},
		{"-a --ingests 48h", "type --ingests=48h"},
		{"prune", `there is no command "prune": ctr-prune without a command prunes`},
		{"versoin", `there is no command "versoin": did you mean version?`},
		{"version now", "takes none"},
		{"completion", "name one shell"},
		{"completion tcsh", "name one shell"},
		{"--no-such-flag", "unknown flag: --no-such-flag; see ctr-prune --help"},
		{"-n", "--namespace needs a value; see ctr-prune --help"},
		{"--dry-rum", "unknown flag: --dry-rum: did you mean --dry-run? see ctr-prune --help"},
		{"--frce", "did you mean --free or --force?"},
		{"-all", "unknown shorthand flag: 'l' in -ll: did you mean --all?"},
		{"--pod /x", "did you mean --pods?"},
		{"check --repare", "did you mean --repair? see ctr-prune check --help"},
		{"check --fix", "type --repair"},
		{"df --formt json", "did you mean --format?"},
		{"df --dry-rum", "unknown flag: --dry-rum; see ctr-prune df --help"}, // it has no --dry-run
		{"help dff", "did you mean df?"},
		{"--format jsn", `--format "jsn" is unknown: did you mean json? type table,`},
		{"--format {{.Nmae}}", "there is no field .Nmae: did you mean .Name? an image has"},
		{"--format {{.Erors}}", "did you mean .Errors?"},
		{"df --format {{.Szie}}", "did you mean .Size?"},
		{"df --filter unsed=true", "did you mean unused? choose one of unused, reference, until,"},
		{"df --sort uniqe", "did you mean unique? choose one of"},
		{"--sort -ceated", "did you mean created? choose one of"},
		{"--distribution k3", "did you mean k3s?"},
		{"--html --dry-run", "--html is followed by the flag --dry-run: give the FILE first, or leave --html out"},
		{"--protect -f", "--protect is followed by the flag -f: give the PATTERN first"},
		{"plan -o -a", "--output is followed by the flag -a"},
		{"df \x1b[2J", `unexpected argument "\x1b[2J"`},
	} {
		f := newFake("")
		args := append(strings.Fields(c.args), "--dry-run")
		if c.args == "-n" || !strings.HasPrefix(c.args, "-") && c.args != "prune" && c.args != "versoin" {
			args = strings.Fields(c.args)
		}
		if !strings.Contains(c.args, "--address") && !strings.Contains(c.args, "--root") {
			f.env(map[string]string{envAddress: "/nowhere/c.sock"})
		}
		code := f.main(args...)
		got := f.err.String()
		if code != exitUsage || !strings.Contains(got, c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, got)
		}
		if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "ctr-prune: ") || f.out.Len() > 0 {
			t.Errorf("%s: not one sentence on stderr: %q, stdout %q", c.args, got, f.out)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
}

func TestUnreachableStores(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--address", filepath.Join(dir, "c.sock")}, "no such socket"},
		{[]string{"--address", file}, "not a socket"},
		{[]string{"--address", "tcp://127.0.0.1:1"}, "only unix sockets"},
		{[]string{"--address", ""}, "the address is empty"},
		{[]string{"--root", filepath.Join(dir, "absent")}, "no such directory"},
		{[]string{"--root", file}, "cannot open the containerd root"},
		{[]string{"--root", dir}, "not a containerd root"},
	} {
		for _, mode := range []string{"--dry-run", "--force"} {
			f := newFake("")
			code := f.main(append(c.args, mode, "-a")...)
			if got := f.err.String(); code != exitUnreachable || !strings.Contains(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("%q %s: exit code %d: %s", c.args, mode, code, got)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
}

// scoped is the scope of a policy with flags and environment.
func scoped(t *testing.T, env map[string]string, args ...string) prune.Policy {
	t.Helper()
	f := newFake("")
	f.env(env)
	o := &actOptions{}
	cmd := newRoot(f.process)
	cmd.ResetFlags()
	addGroup(cmd, "", o.policy.add)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	p, err := o.policy.policy(f.getenv, texttest.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNamespacesOfAPolicy(t *testing.T) {
	env := map[string]string{envNamespace: "k8s.io"}
	for _, c := range []struct {
		name string
		got  prune.Policy
		want prune.Policy
	}{
		{"the default, which may be missing", scoped(t, nil), prune.Policy{Namespaces: []string{"default"}, MissingOK: true}},
		{"the default, asked for", scoped(t, nil, "-n", "default"), prune.Policy{Namespaces: []string{"default"}}},
		{"environment", scoped(t, env), prune.Policy{Namespaces: []string{"k8s.io"}}},
		{"flags before environment", scoped(t, env, "-n", "a", "--namespace=b,c"), prune.Policy{Namespaces: []string{"a", "b,c"}}},
		{"all before environment", scoped(t, env, "--all-namespaces"), prune.Policy{AllNamespaces: true}},
	} {
		type scope struct {
			Namespaces     []string
			All, MissingOK bool
		}
		of := func(p prune.Policy) scope { return scope{p.Namespaces, p.AllNamespaces, p.MissingOK} }
		if diff := cmp.Diff(of(c.want), of(c.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
