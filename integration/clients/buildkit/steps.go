package buildkit

import (
	"os"
	"path/filepath"
)

// Steps lists the containers of steps that run, or that a builder that was
// killed or cut off has left: they name neither an image nor a snapshot.
func (b *Builder) Steps() []string {
	b.tb.Helper()
	s := b.Store(b.Namespace)
	list, err := s.Client.ContainerService().List(s.Context(b.tb.Context()))
	if err != nil {
		b.tb.Fatalf("listing the steps of builds: %v", err)
	}
	var ids []string
	for _, c := range list {
		if c.Image == "" && c.SnapshotKey == "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// RemoveStep ends a step that no builder waits for, and its shim. One that is
// gone is no error.
func (b *Builder) RemoveStep(id string) {
	b.tb.Helper()
	b.EndContainer(b.Namespace, id)
	b.removePipes(id)
}

// removePipes removes what a step printed into: its builder would have done so.
func (b *Builder) removePipes(id string) {
	b.tb.Helper()
	pipes, err := filepath.Glob(filepath.Join("/run/containerd/fifo/*", id+"-*"))
	if err != nil {
		b.tb.Fatal(err)
	}
	for _, pipe := range pipes {
		if err := os.RemoveAll(filepath.Dir(pipe)); err != nil {
			b.tb.Errorf("removing the pipes of step %s: %v", id, err)
		}
	}
}
