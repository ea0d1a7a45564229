package daemon

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// maxConfig is the most that is read of a configuration file.
const maxConfig = 4 << 20

// pinReader collects the images that configuration files of containerd pin. It
// takes all that any of them says, not only what counts in the end: a wrong
// image that stays does no harm.
type pinReader struct {
	// root is where the files of containerd's mount namespace are.
	root string
	pins store.CRIPins
	seen map[string]bool
}

func (r *pinReader) read(path string) error {
	if r.seen[path] {
		return nil
	}
	r.seen[path] = true
	f, err := os.Open(filepath.Join(r.root, path))
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := toml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r.collect(config)
	var imports []string
	list, _ := config["imports"].([]any)
	for _, item := range list {
		if path, ok := item.(string); ok {
			imports = append(imports, path)
		}
	}
	return r.imports(filepath.Dir(path), imports)
}

// imports reads further files, which are named by their paths or by patterns.
func (r *pinReader) imports(dir string, patterns []string) error {
	for _, pattern := range patterns {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(dir, pattern)
		}
		found, err := filepath.Glob(filepath.Join(r.root, pattern))
		if err != nil {
			return fmt.Errorf("importing %q: %w", pattern, err)
		}
		for _, path := range found {
			if err := r.read(path[len(r.root):]); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect looks in all tables: the plugin has had several names.
func (r *pinReader) collect(table map[string]any) {
	for key, value := range table {
		switch value := value.(type) {
		case map[string]any:
			if key == "pinned_images" {
				r.pin(value)
			}
			r.collect(value)
		case string:
			if key == "sandbox_image" {
				r.pin(map[string]any{store.PinSandbox: value})
			}
		}
	}
}

// pin notes images by their purpose; where files disagree each has its own.
func (r *pinReader) pin(images map[string]any) {
	for purpose, value := range images {
		image, _ := value.(string)
		if image != "" {
			r.pins[purpose] = append(r.pins[purpose], image)
		}
	}
}
