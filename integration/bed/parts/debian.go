package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ensurePackages installs the recipe's Debian packages if a program or
// library of theirs is missing. Only root can; any other user gets an error
// that names the command to run.
func ensurePackages(ctx context.Context, cache string, rec recipe) error {
	lacking := missing(ctx, rec)
	if len(lacking) == 0 {
		return nil
	}
	list := strings.Join(rec.debian, " ")
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: %s missing, and only root can install it; run: apt-get install %s",
			ErrUnavailable, strings.Join(lacking, " and "), list)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: %s missing, and there is no apt-get; install what your system calls %s",
			ErrUnavailable, strings.Join(lacking, " and "), list)
	}
	unlock, err := lock(ctx, filepath.Join(cache, "apt-get.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if len(missing(ctx, rec)) == 0 {
		return nil
	}
	return aptInstall(ctx, rec.debian)
}

// aptInstall tries with the package lists at hand and refreshes them only
// when that fails: a refresh takes longer than the installation.
func aptInstall(ctx context.Context, packages []string) error {
	install := append([]string{"install", "--yes", "--no-install-recommends"}, packages...)
	if apt(ctx, "", install...) == nil {
		return nil
	}
	if err := apt(ctx, "", "update"); err != nil {
		return err
	}
	return apt(ctx, "", install...)
}

// apt runs apt-get in a folder.
func apt(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, tail(out))
	}
	return nil
}

// missing lists the programs and libraries of the recipe that are not there.
func missing(ctx context.Context, rec recipe) []string {
	var lacking []string
	for _, program := range rec.needs {
		if _, err := exec.LookPath(program); err != nil {
			lacking = append(lacking, program)
		}
	}
	for _, lib := range rec.pkgConfig {
		if exec.CommandContext(ctx, "pkg-config", "--exists", lib).Run() != nil {
			lacking = append(lacking, lib)
		}
	}
	return lacking
}
