package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// stage makes the files that are in no repository: compressed manual pages, the
// completion of shells, and Debian's changelog. It returns their folder.
func (o options) stage(ctx context.Context) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "packages"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	err = errors.Join(os.Mkdir(filepath.Join(dir, "man"), 0o755), os.Mkdir(filepath.Join(dir, "completion"), 0o755))
	if err != nil {
		return "", err
	}
	return dir, errors.Join(o.pages(dir), o.completion(ctx, dir), zip(filepath.Join(dir, "changelog.gz"), o.changelog()))
}

func (o options) pages(dir string) error {
	pages, err := filepath.Glob(filepath.Join(o.root, "docs", "man", "*.1"))
	if err != nil || len(pages) == 0 {
		return fmt.Errorf("there are no manual pages: %w", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if err := zip(filepath.Join(dir, "man", filepath.Base(page)+".gz"), text); err != nil {
			return err
		}
	}
	return nil
}

func (o options) completion(ctx context.Context, dir string) error {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text, err := exec.CommandContext(ctx, o.program, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("asking %s for the completion of %s: %w", o.program, shell, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "completion", shell), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// changelog is what Debian wants to have of every version.
func (o options) changelog() []byte {
	return fmt.Appendf(nil, `ctr-prune (%s) unstable; urgency=medium

  * What has changed is in CHANGELOG.md of the repository,
    https://github.com/ctr-prune/ctr-prune

 -- ctr-prune developers <ctr-prune@users.noreply.github.com>  %s
`, versionFor(formatDeb, o.version).debian(), o.created.Format(time.RFC1123Z))
}

// zip compresses a file. Its header has no name and no time.
func zip(path string, text []byte) error {
	var buffer bytes.Buffer
	w, err := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, werr := w.Write(text)
	return errors.Join(werr, w.Close(), os.WriteFile(path, buffer.Bytes(), 0o644))
}
