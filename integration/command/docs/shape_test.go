package docs

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// codeFolders are those below which all code is.
var codeFolders = []string{"cmd", "filters", "integration", "leases", "prune"}

// TestCodeIsInItsFolders finds Go code that is anywhere else.
func TestCodeIsInItsFolders(t *testing.T) {
	const root = "../../.."
	found := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(strings.TrimPrefix(path, root+"/"), "/")
		if e.IsDir() && path != root && strings.HasPrefix(top, ".") {
			return fs.SkipDir // caches and the like
		}
		if strings.HasSuffix(path, ".go") {
			found[top] = true
			if !slices.Contains(codeFolders, top) {
				t.Errorf("%s is in none of the folders %s", path, strings.Join(codeFolders, ", "))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < len(codeFolders) {
		t.Errorf("code is only found in %v", found)
	}
}
