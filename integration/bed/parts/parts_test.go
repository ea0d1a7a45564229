package parts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryPartHasARecipe(t *testing.T) {
	every := slices.Concat(All(), Cluster(), Chart(), Packages())
	slices.Sort(every) // helm is for two
	every = slices.Compact(every)
	for _, part := range every {
		rec, ok := recipes[part]
		if !ok || len(rec.programs) == 0 {
			t.Errorf("%s: no recipe, or one without programs", part)
		}
		_, version, built := strings.Cut(string(part), "@")
		if built != (rec.module != "") || built && !strings.HasSuffix(rec.module, "@v"+version) {
			t.Errorf("%s: built from %q", part, rec.module)
		}
	}
	if len(every) != len(recipes) {
		t.Errorf("All, Cluster, Chart and Packages list %d parts, there are %d recipes", len(every), len(recipes))
	}
}

// What is built within a module of ours is built from what its go.mod says.
func TestModulesRequireTheVersionsOfTheParts(t *testing.T) {
	for part, rec := range recipes {
		if rec.within == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join("modules", rec.within, "go.mod"))
		if err != nil {
			t.Error(err)
		}
		path, version, _ := strings.Cut(rec.module, "@")
		if !strings.Contains(string(text), path+" "+version+" ") {
			t.Errorf("%s: %s does not require %s %s", part, rec.within, path, version)
		}
		_, minor, _ := strings.Cut(version, ".") // v1.37.2 has staging modules v0.37.2
		if rec.within == "kubernetes" && strings.Count(string(text), " v0."+minor+"\n") < 30 {
			t.Errorf("%s: the staging modules are not replaced by v0.%s", part, minor)
		}
	}
}

func TestMissingParts(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("go.mod", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(".cache", "parts", string(Kubelet)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(".cache", "parts", string(Kubelet), "kubelet"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	missing, err := Missing(Etcd, Kubelet, Umoci)
	if err != nil || !slices.Equal(missing, []Part{Etcd}) {
		t.Errorf("Missing = %v, %v", missing, err)
	}
}

func TestUnknownPart(t *testing.T) {
	if _, err := Ensure(t.Context(), "containerd@0.1"); err == nil {
		t.Error("an unknown part was provided")
	}
}

func TestPresentPartIsNotBuiltAgain(t *testing.T) {
	dir := t.TempDir()
	part := Part("tool@1")
	if err := os.MkdirAll(filepath.Join(dir, string(part)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, string(part), "tool"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	// The module does not exist: an attempt to build it fails.
	rec := recipe{module: "example.invalid/tool@v1.0.0", programs: []string{"tool"}}
	got, err := ensure(t.Context(), dir, part, rec)
	if err != nil || got != filepath.Join(dir, string(part)) {
		t.Errorf("ensure = %q, %v", got, err)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	rec := recipe{module: "github.com/opencontainers/go-digest@v1.0.0", packages: []string{"./no-such"}, programs: []string{"x"}}
	if _, err := ensure(t.Context(), dir, "x@1", rec); err == nil {
		t.Fatal("a package that does not exist was built")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "x@1.lock" {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestMissingProgramIsASentence(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root would install it")
	}
	rec := recipe{programs: []string{"no-such-tool"}, needs: []string{"no-such-tool"}, debian: []string{"no-such-package"}}
	_, err := ensure(t.Context(), t.TempDir(), "no-such-tool", rec)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "apt-get install no-such-package") {
		t.Errorf("got %v", err)
	}
}

func TestLockWaitsForTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockRetry)
	defer cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second lock: %v", err)
	}
	second := make(chan error, 1)
	go func() {
		unlock, err := lock(t.Context(), path)
		if err == nil {
			unlock()
		}
		second <- err
	}()
	unlock()
	select {
	case err := <-second:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Minute):
		t.Error("the lock was never handed over")
	}
}
