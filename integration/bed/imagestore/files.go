package imagestore

import (
	"go/build"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// mostFiles bounds the walk below: enough variety for any test.
const mostFiles = 3000

// machineFiles lists regular files of this machine that layers are made of:
// programs, libraries and, for text, Go's sources.
var machineFiles = sync.OnceValue(func() []string {
	goroot := os.Getenv("GOROOT")
	if goroot == "" {
		goroot = build.Default.GOROOT
	}
	var out []string
	for _, dir := range []string{"/usr/bin", "/usr/lib", filepath.Join(goroot, "src")} {
		out = append(out, filesBelow(dir, mostFiles)...)
	}
	return out
})

func filesBelow(dir string, most int) []string {
	var out []string
	// Folders that are missing or closed to this user are simply no source.
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if e.Type().IsRegular() {
			out = append(out, path)
		}
		if len(out) >= most {
			return fs.SkipAll
		}
		return nil
	})
	return out
}

// pick returns up to most bytes of a random file, and its path. A machine
// without readable files gives random bytes.
func (b *Builder) pick(most int) (path string, data []byte) {
	for range 20 {
		if len(b.files) == 0 {
			break
		}
		path = b.files[b.rand.IntN(len(b.files))]
		if data = readSome(path, most); len(data) > 0 {
			return path, data
		}
	}
	data = make([]byte, most)
	for i := range data {
		data[i] = byte(b.rand.Uint32())
	}
	return "/random", data
}

func readSome(path string, most int) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)))
	if err != nil {
		return nil
	}
	return data
}
