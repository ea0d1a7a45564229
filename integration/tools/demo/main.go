package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/log"
)

// limit is what the demonstration passes to --until.
const limit = 72 * time.Hour

type demo struct {
	command string
	root    string
	// archive is nil if the user brings none.
	archive *userImage
	now     time.Time
}

func main() {
	command := flag.String("command", "bin/ctr-prune", "the ctr-prune to show")
	dir := flag.String("dir", ".cache/demo", "where the store is made; what was there is removed")
	archive := flag.String("archive", "", "an OCI or docker archive, or an OCI layout, to import as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := log.SetLevel("error"); err != nil { // containerd warns of what it only prefers
		panic(err)
	}
	d := demo{command: *command, root: filepath.Join(*dir, "root"), now: time.Now()}
	if err := d.run(ctx, *archive); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func (d demo) run(ctx context.Context, archive string) (err error) {
	if archive != "" {
		if d.archive, err = findImage(ctx, archive); err != nil {
			return err
		}
	}
	if err := removeAll(d.root); err != nil {
		return fmt.Errorf("removing the last demonstration: %w", err)
	}
	fmt.Printf("# Making images of files of this machine, in a containerd store in %s\n", d.root)
	want, err := d.fill(ctx)
	if err != nil {
		return err
	}
	until := fmt.Sprintf("%.0fh", limit.Hours())
	for _, step := range []struct {
		title string
		args  []string
	}{
		{"What would be removed, and why the rest is kept", []string{"-a", "--until", until, "--dry-run"}},
		{"Do it", []string{"-a", "--until", until, "-f"}},
		{"What is left, and why", []string{"-a", "--until", until, "--dry-run"}},
	} {
		fmt.Printf("\n# %s\n", step.title)
		if err := d.show(ctx, step.args...); err != nil {
			return err
		}
	}
	if err := d.check(ctx, want); err != nil {
		return err
	}
	fmt.Printf("\n# As it should be: exactly the images that were young, in use or pinned are left.\n"+
		"# The store is kept in %s; look around with\n#   %s --root %s -a --dry-run\n", d.root, d.command, d.root)
	return nil
}

// show prints a command line and runs it.
func (d demo) show(ctx context.Context, args ...string) error {
	args = append([]string{"--root", d.root}, args...)
	fmt.Printf("$ ctr-prune %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.command, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", d.command, err)
	}
	return nil
}

// removeAll removes layers too, which may hold folders that nobody may enter.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil // what cannot be seen, the removal below reports
	})
	return errors.Join(err, os.RemoveAll(dir))
}
