package cri

import "testing"
import "github.com/ctr-prune/ctr-prune/integration/parts"

func TestSmoke(t *testing.T) {
	for _, v := range []parts.Part{parts.Containerd24, parts.Containerd17} {
		t.Run(string(v), func(t *testing.T) { smoke(t, v) })
	}
}

func smoke(t *testing.T, v parts.Part) {
	n := Start(t, v)
	n.Pulled("docker.io/library/app", "1")
	p := n.Pod("api")
	id := p.Run(Container{Name: "app", Image: "docker.io/library/app:1"})
	t.Log(id, n.Listed())
}
