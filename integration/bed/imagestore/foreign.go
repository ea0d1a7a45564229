package imagestore

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// UmociArchive lets umoci make an image with one layer for each of files,
// which are paths of this machine, and returns the path of an OCI archive of
// it in dir. umoci is the path of the program.
func UmociArchive(ctx context.Context, umoci, dir, tag string, files ...string) (string, error) {
	layout := filepath.Join(dir, "umoci")
	image := layout + ":" + tag
	steps := [][]string{
		{"init", "--layout", layout},
		{"new", "--image", image},
		{"config", "--image", image, "--config.cmd", "/bin/true", "--config.label", "made.by=umoci"},
	}
	for _, f := range files {
		mine, err := copyTo(dir, f)
		if err != nil {
			return "", err
		}
		steps = append(steps, []string{"insert", "--rootless", "--image", image, mine, "/opt/" + filepath.Base(f)})
	}
	// Every step leaves the manifest of the one before it behind.
	steps = append(steps, []string{"gc", "--layout", layout})
	for _, args := range steps {
		if err := run(ctx, umoci, args...); err != nil {
			return "", err
		}
	}
	archive := filepath.Join(dir, "umoci-"+tag+".tar")
	return archive, tarDir(layout, archive)
}

// SkopeoCopy lets skopeo copy an image between the forms that it knows, for
// example from "oci-archive:a.tar:1" to "docker-archive:b.tar:repo:1".
func SkopeoCopy(ctx context.Context, skopeo, from, to string) error {
	return run(ctx, skopeo, "--insecure-policy", "copy", "--quiet", from, to)
}

func run(ctx context.Context, program string, args ...string) error {
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", filepath.Base(program), args, err, out)
	}
	return nil
}

// copyTo copies a file: umoci wants to own the folder that it takes one from.
func copyTo(dir, file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(file))
	return path, os.WriteFile(path, data, 0o755)
}

func tarDir(dir, file string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	tw := tar.NewWriter(f)
	if err := tw.AddFS(os.DirFS(dir)); err != nil {
		return fmt.Errorf("archiving %s: %w", dir, err)
	}
	return tw.Close()
}
