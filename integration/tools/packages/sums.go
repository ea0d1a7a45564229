package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The files by which others are verified, and for what ssh-keygen signs them.
const (
	sumsFile  = "SHA256SUMS"
	namespace = "file"
)

// sums writes the checksums of all files, and their signature.
func (o options) sums(ctx context.Context) error {
	entries, err := os.ReadDir(o.out) // sorted
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(o.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(body), e.Name())
	}
	path := filepath.Join(o.out, sumsFile)
	if err := os.WriteFile(path, list.Bytes(), 0o644); err != nil || o.key == "" {
		return err
	}
	return o.sign(ctx, path)
}

// sign lets ssh-keygen write a signature beside the file.
func (o options) sign(ctx context.Context, path string) error {
	program, err := exec.LookPath("ssh-keygen")
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no ssh-keygen to sign with: install openssh-client, or give no key")
	}
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "-Y", "sign", "-f", o.key, "-n", namespace, path)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("signing %s with %s: %w\n%s", path, o.key, err, said)
	}
	return nil
}
