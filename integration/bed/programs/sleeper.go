package programs

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Sleeper returns the program that containers and build steps of tests run. It
// waits for an interrupt or a termination, and prints "waiting" when it does, or
// ends at once when its argument is "exit". With "spin" it is busy meanwhile.
func Sleeper(tb testing.TB) []byte {
	tb.Helper()
	program, err := sleeper()
	if err != nil {
		tb.Fatal(err)
	}
	return program
}

var sleeper = sync.OnceValues(func() (program []byte, err error) {
	dir, err := os.MkdirTemp("", "sleeper")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "sleeper")
	if err := build(path, "integration/bed/programs/sleeper"); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
