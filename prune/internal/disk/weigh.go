package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

// blockSize is the unit of stat(2)'s count of blocks, in bytes.
const blockSize = 512

// file identifies a file that may have several names.
type file struct{ dev, ino uint64 }

// Weigh returns what removing a path with everything below it gives back, in
// bytes. What is removed meanwhile counts nothing.
func Weigh(ctx context.Context, path string) (bytes int64, err error) {
	seen := make(map[file]struct{})
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		id := fileOf(info)
		if _, counted := seen[id]; !counted {
			seen[id] = struct{}{}
			bytes += info.Sys().(*syscall.Stat_t).Blocks * blockSize
		}
		return ctx.Err()
	})
	return bytes, err
}

// restPeriod is for how long nobody may have changed an entry that containerd
// does not know before it counts as left behind: a snapshot that is being made
// has an entry before it has a record, and one that is being removed has it
// afterwards.
const restPeriod = time.Second

// leftBehind weighs the entries twice, and returns those that have not changed
// in between and that are still unknown then.
func leftBehind(ctx context.Context, paths []string, stillUnknown func(path string) (bool, error)) ([]Entry, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	before := make(map[string]int64, len(paths))
	for _, path := range paths {
		bytes, err := Weigh(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("measuring files that containerd does not know: %w", err)
		}
		before[path] = bytes
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(restPeriod):
	}
	var found []Entry
	for _, path := range paths {
		unknown, err := stillUnknown(path)
		if err != nil {
			return nil, err
		}
		bytes, err := Weigh(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("measuring files that containerd does not know: %w", err)
		}
		if unknown && bytes == before[path] {
			found = append(found, Entry{Path: path, Bytes: bytes})
		}
	}
	return found, nil
}
