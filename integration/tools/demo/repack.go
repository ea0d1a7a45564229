package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// packed is a folder as a tar.
func packed(folder fs.FS) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		out := tar.NewWriter(w)
		w.CloseWithError(errors.Join(out.AddFS(folder), out.Close()))
	}()
	return r
}

// rebased is a tar with the layout at its top.
func (u *userImage) rebased(in io.Reader) io.Reader {
	if u.base == "" {
		return in
	}
	r, w := io.Pipe()
	go func() {
		out := tar.NewWriter(w)
		w.CloseWithError(errors.Join(copyBelow(out, tar.NewReader(in), u.base), out.Close()))
	}()
	return r
}

// copyBelow copies what is below a folder.
func copyBelow(out *tar.Writer, in *tar.Reader, base string) error {
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, below := strings.CutPrefix(path.Clean(header.Name), path.Clean(base)+"/")
		if !below {
			continue
		}
		header.Name = name
		if err := out.WriteHeader(header); err != nil {
			return fmt.Errorf("copying %s: %w", name, err)
		}
		if _, err := io.Copy(out, in); err != nil {
			return fmt.Errorf("copying %s: %w", name, err)
		}
	}
}
