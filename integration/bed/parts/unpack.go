package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ensureUnpacked puts the files of the recipe's Debian package into the cache, and
// returns the folder of its programs there. Any user can, once apt-get has the
// lists of packages.
func ensureUnpacked(ctx context.Context, cache string, part Part, rec recipe) (string, error) {
	dir := filepath.Join(cache, string(part))
	bin := filepath.Join(dir, "usr", "bin")
	if present(bin, rec.programs) {
		return bin, nil
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if present(bin, rec.programs) { // unpacked while this process waited
		return bin, nil
	}
	return bin, unpack(ctx, dir, rec.debian[0])
}

// unpack replaces dir by the files of a package.
func unpack(ctx context.Context, dir, name string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := aptDownload(ctx, tmp, name); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("downloading package %s brought %q: %w", name, files, err)
	}
	out := filepath.Join(tmp, "files")
	if text, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", files[0], out).CombinedOutput(); err != nil {
		return fmt.Errorf("unpacking %s: %w\n%s", files[0], err, tail(text))
	}
	// Leftovers of an incomplete folder would make the rename fail.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(out, dir)
}

// aptDownload is as aptInstall, but only root can refresh the package lists.
func aptDownload(ctx context.Context, dir, name string) error {
	err := apt(ctx, dir, "download", name)
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: there is no apt-get to get package %s with", ErrUnavailable, name)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: package %s cannot be downloaded; run as root: apt-get update (%w)", ErrUnavailable, name, err)
	}
	if err := apt(ctx, dir, "update"); err != nil {
		return err
	}
	return apt(ctx, dir, "download", name)
}
