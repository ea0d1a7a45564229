package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// userImage is the archive or the folder that a user brings: a file of docker save
// or skopeo, compressed or not, an OCI layout as a folder, or a tar of such a folder.
type userImage struct {
	path string
	// base is the folder in which the layout is, within the tar.
	base string
}

// marks are the files by which an archive of images is known.
var marks = []string{"oci-layout", "manifest.json"}

// findImage looks at the archive before anything is done.
func findImage(ctx context.Context, path string) (*userImage, error) {
	u := &userImage{path: path}
	in, err := u.open(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if u.base, err = baseOf(in); err != nil {
		return nil, fmt.Errorf("ARCHIVE=%s is no image: %w; give what docker save or skopeo write, or an OCI layout", path, err)
	}
	return u, nil
}

// baseOf is the folder of a tar in which the layout is.
func baseOf(in io.Reader) (string, error) {
	list := tar.NewReader(in)
	for {
		header, err := list.Next()
		switch {
		case errors.Is(err, io.EOF):
			return "", errors.New("it has neither oci-layout nor manifest.json")
		case err != nil:
			return "", fmt.Errorf("it is neither a folder nor a tar: %w", err)
		}
		dir, name := path.Split(path.Clean(header.Name))
		for _, mark := range marks {
			if name == mark && strings.Count(dir, "/") <= 1 {
				return dir, nil
			}
		}
	}
}

// stream is a tar that somebody writes.
type stream struct {
	io.Reader
	close func() error
}

func (s stream) Close() error { return s.close() }

// open returns the archive as a tar that is not compressed.
func (u *userImage) open(ctx context.Context) (io.ReadCloser, error) {
	info, err := os.Stat(u.path)
	if err != nil {
		return nil, fmt.Errorf("ARCHIVE: %w", err)
	}
	if info.IsDir() {
		return packed(os.DirFS(u.path)), nil
	}
	f, err := os.Open(u.path)
	if err != nil {
		return nil, fmt.Errorf("ARCHIVE: %w", err)
	}
	in := bufio.NewReader(f)
	if begin, _ := in.Peek(len(magicXZ)); bytes.Equal(begin, []byte(magicXZ)) {
		return unpackXZ(ctx, in, f)
	}
	plain, err := compression.DecompressStream(in)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", u.path, err), f.Close())
	}
	return stream{plain, func() error { return errors.Join(plain.Close(), f.Close()) }}, nil
}

// magicXZ begins what xz has compressed.
const magicXZ = "\xfd7zXZ\x00"

// unpackXZ has xz unpack it.
func unpackXZ(ctx context.Context, in io.Reader, f *os.File) (io.ReadCloser, error) {
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "xz", "--decompress", "--stdout")
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("unpacking %s: %w; install xz, or unpack it first", f.Name(), err), f.Close())
	}
	return stream{out, func() error {
		stop()
		_ = cmd.Wait() // it may have been read only in part
		return f.Close()
	}}, nil
}

// importArchive imports the user's image as if it had been pulled months ago. What
// is not for this machine stays packed.
func (d demo) importArchive(ctx context.Context, e *imagestore.Embedded, store imagestore.Store) error {
	in, err := d.archive.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	then := d.now.Add(-months)
	records, err := store.Client.Import(store.At(then).Context(ctx), d.archive.rebased(in), containerd.WithAllPlatforms(true),
		containerd.WithSkipMissing(), containerd.WithImageRefTranslator(archive.AddRefPrefix("archive.example/yours")))
	if err != nil {
		return fmt.Errorf("importing %s: %w", d.archive.path, err)
	}
	for _, record := range records {
		fmt.Printf("# Imported %s\n", record.Name)
		if err := containerd.NewImage(store.Client, record).Unpack(store.Context(ctx), store.Snapshotter); err != nil {
			fmt.Printf("# It is not unpacked: %v\n", err)
		}
		if err := e.Backdate(store.Namespace, then, record.Target.Digest); err != nil {
			return err
		}
	}
	return nil
}
