package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links Linux follows in a path.
const maxLinks = 40

// way goes from the root to a path as the kernel does, and refuses it if
// somebody who is not believed may replace a part of it.
func (j Judge) way(noun, path string) error {
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("finding the current folder: %w", err)
		}
		path = here + "/" + path // not cleaned: what is above a link is not what is before it
	}
	dir, links := "/", 0
	for rest := steps(path); len(rest) > 0; {
		step := rest[0]
		rest = rest[1:]
		if step == ".." {
			dir = filepath.Dir(dir)
			continue
		}
		at := filepath.Join(dir, step)
		fi, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) && links > 0 && reachable(path) {
			return nil // an open file that has no name, as a pipe in /proc/self/fd
		}
		if err != nil {
			return err
		}
		if err := j.entry(noun, dir, at, fi); err != nil {
			return err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			dir = at
			continue
		}
		if links++; links > maxLinks {
			return &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		target, err := os.Readlink(at)
		if err != nil {
			return err
		}
		if filepath.IsAbs(target) {
			dir = "/"
		}
		rest = append(steps(target), rest...)
	}
	return nil
}

func reachable(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// steps are the parts of a path that lead somewhere.
func steps(path string) []string {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}

// entry refuses what somebody may replace in its folder: the folder's owner,
// and who may write to it, unless it has the sticky bit (inode(7)), by which
// only the owner of an entry may.
func (j Judge) entry(noun, dir, at string, fi fs.FileInfo) error {
	above, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	// The folders of the machine's root have an owner whom a user namespace
	// does not know, so who is not known has to be believed there.
	if user := owner(above); !j.believes(user) && user != j.unmapped {
		return &Refusal{
			fmt.Sprintf("user %d may replace this %s, because %q belongs to that user, who is neither root nor the user running this", user, noun, dir),
			"put it into a folder of your own",
		}
	}
	who, class := j.writers(above)
	switch user := owner(fi); {
	case who == "" || onConfigMap(dir):
		return nil
	case above.Mode()&fs.ModeSticky == 0:
		return &Refusal{fmt.Sprintf("%s may replace this %s, because the mode of %q is %04o", who, noun, dir, above.Mode().Perm()), chmod(class)}
	case !j.believes(user):
		return &Refusal{
			fmt.Sprintf("user %d may replace this %s, because %q belongs to that user, who is neither root nor the user running this", user, noun, at),
			"put it into a folder of your own",
		}
	}
	return nil
}
