package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrUnavailable is wrapped by the error of [Ensure] when a part cannot be
// had on this machine by this user, as opposed to a build that failed.
var ErrUnavailable = errors.New("part is not available here")

// Ensure makes sure that the programs of all given parts are on this machine
// and says where. It is quick when they are. Several processes may call it at
// once: one of them builds, the others wait, until ctx is done.
func Ensure(ctx context.Context, wanted ...Part) (Paths, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	paths := make(Paths, len(wanted))
	for _, part := range wanted {
		rec, ok := recipes[part]
		if !ok {
			return nil, fmt.Errorf("unknown part %q", part)
		}
		dir, err := ensure(ctx, cache, part, rec)
		if err != nil {
			return nil, fmt.Errorf("providing %s: %w", part, err)
		}
		paths[part] = dir
	}
	return paths, nil
}

func ensure(ctx context.Context, cache string, part Part, rec recipe) (string, error) {
	if rec.unpack {
		return ensureUnpacked(ctx, cache, part, rec)
	}
	if rec.module == "" {
		return ensureInstalled(ctx, cache, rec)
	}
	dir := filepath.Join(cache, string(part))
	if present(dir, rec.programs) {
		return dir, nil
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if present(dir, rec.programs) { // built while this process waited
		return dir, nil
	}
	if err := ensurePackages(ctx, cache, rec); err != nil {
		return "", err
	}
	return dir, build(ctx, dir, rec)
}

// ensureInstalled finds programs of the distribution, installing them first
// when that is needed and allowed.
func ensureInstalled(ctx context.Context, cache string, rec recipe) (string, error) {
	if err := ensurePackages(ctx, cache, rec); err != nil {
		return "", err
	}
	path, err := exec.LookPath(rec.programs[0])
	if err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

func present(dir string, programs []string) bool {
	for _, p := range programs {
		if fi, err := os.Stat(filepath.Join(dir, p)); err != nil || !fi.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// Missing returns those of the parts that have to be built first. Programs of the
// distribution are not looked for.
func Missing(wanted ...Part) (missing []Part, err error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	for _, part := range wanted {
		rec := recipes[part]
		if rec.module != "" && !present(filepath.Join(cache, string(part)), rec.programs) {
			missing = append(missing, part)
		}
	}
	return missing, nil
}

// cacheDir returns .cache/parts under the root of this module.
func cacheDir() (string, error) {
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	cache := filepath.Join(root, ".cache", "parts")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	return cache, nil
}

// ModuleRoot finds the root of this module above the working directory: tests
// run in their package's folder.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = up
	}
}
