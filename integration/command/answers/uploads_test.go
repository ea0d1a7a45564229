package answers_test

import (
	"os"
	"path/filepath"
	"time"
)

// ageUploads makes all uploads look as if they had been left a while ago.
func (n *node) ageUploads(age time.Duration) {
	n.t.Helper()
	if !n.stopped {
		n.daemon.Stop()
		defer n.daemon.Up()
	}
	then := time.Now().Add(-age)
	uploads, err := filepath.Glob(filepath.Join(n.daemon.Root(), "io.containerd.content.v1.content", "ingest", "*"))
	n.must(err)
	for _, dir := range uploads {
		text, err := then.UTC().MarshalText()
		n.must(err)
		for _, file := range []string{"startedat", "updatedat"} {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				n.must(os.WriteFile(filepath.Join(dir, file), text, 0o600))
			}
		}
		n.must(os.Chtimes(filepath.Join(dir, "data"), then, then))
	}
}
