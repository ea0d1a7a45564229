package locate

import (
	"os"
	"path/filepath"
	"slices"
)

// database is what every containerd root has.
const database = "io.containerd.metadata.v1.bolt/meta.db"

// How far from a directory a root is looked for.
const (
	above = 3
	below = 2
)

// RootsNear lists the containerd roots above and below a directory; if there are none, those at
// well-known places.
func (m Machine) RootsNear(dir string) (roots []string) {
	dir = filepath.Clean(dir)
	for up, n := filepath.Dir(dir), 0; n < above && up != "/" && up != "."; up, n = filepath.Dir(up), n+1 {
		if m.isRoot(up) {
			roots = append(roots, up)
		}
	}
	if roots = append(roots, m.rootsBelow(dir, below)...); len(roots) > 0 {
		return roots
	}
	for _, p := range append(m.places(), Place{Root: rke2Root}) {
		if m.isRoot(p.Root) && p.Root != dir && !slices.Contains(roots, p.Root) {
			roots = append(roots, p.Root)
		}
	}
	return roots
}

// rootsBelow looks into directories that are a few levels down.
func (m Machine) rootsBelow(dir string, levels int) (roots []string) {
	entries, err := os.ReadDir(m.path(dir))
	if err != nil || levels == 0 {
		return nil // what cannot be read offers nothing
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if sub := filepath.Join(dir, e.Name()); m.isRoot(sub) {
			roots = append(roots, sub)
		} else {
			roots = append(roots, m.rootsBelow(sub, levels-1)...)
		}
	}
	return roots
}

func (m Machine) isRoot(dir string) bool {
	info, err := os.Stat(m.path(filepath.Join(dir, database)))
	return err == nil && info.Mode().IsRegular()
}
