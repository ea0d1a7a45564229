package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// release is the Debian that tests install packages in.
const release = "bookworm"

// inDistribution are the packages that it has beside the least that Debian needs.
const inDistribution = "systemd,systemd-sysv,sudo,rpm,openssh-client"

// Distribution makes sure that there is a folder with a small Debian that systemd
// boots, and returns it. Nobody may write to it.
func Distribution(ctx context.Context) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "debian-"+release)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("%w: only root can unpack a distribution", ErrUnavailable)
	}
	paths, err := Ensure(ctx, Mmdebstrap)
	if err != nil {
		return "", err
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil { // made while this process waited
		return dir, nil
	}
	return dir, bootstrap(ctx, paths.Bin(Mmdebstrap, "mmdebstrap"), dir)
}

// bootstrap makes the folder, all of it or none.
func bootstrap(ctx context.Context, program, dir string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".debian-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, program, "--quiet", "--mode=root", "--variant=minbase", "--include="+inDistribution, release, filepath.Join(tmp, "root"))
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a Debian %s: %w\n%s", release, err, tail(out))
	}
	return os.Rename(filepath.Join(tmp, "root"), dir)
}
