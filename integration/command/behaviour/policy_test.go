package behaviour_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

const nodePolicy = `version: 1
protect: {names: ["registry.k8s.io/pause:*"]}
rules:
  - name: releases
    match: {namespaces: [default, k8s.io], names: ["ghcr.io/acme/*"], tags: ["v*"]}
    keep: {last: 2}
  - name: dangling
    match: {dangling: true}
    keep: none
  - name: scratch
    match: {names: ["ci.example/**"]}
    keep: none
`

// A policy on a real containerd, through its socket and on its root: the newest
// tags of a repository stay, an image in use counts among them, an image of CRI goes
// with all its names, what no rule matches stays, and nothing else happens.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"running": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, parts.Containerd24, stopped)
			file := filepath.Join(t.TempDir(), "policy.yaml")
			s.must(os.WriteFile(file, []byte(nodePolicy), 0o600))
			v := make([]*imagestore.Image, 5)
			for i := range v {
				v[i] = s.added("ghcr.io/acme/api:v"+string(rune('0'+i)), 1)
			}
			s.must(s.Tag(s.ctx(), v[4].Name, "ghcr.io/acme/api:latest"),
				s.Container(s.ctx(), imagestore.ContainerSpec{ID: "web", Image: v[3].Name, Of: v[3]}))
			scratch, other := s.added("ci.example/team/app:1", 1), s.added("docker.io/library/other:1", 1)
			k8s := s.In("k8s.io")
			var cri [][]string
			for i, tag := range []string{"v1", "v2", "v3"} {
				img := s.image("ghcr.io/acme/web:"+tag, 1+i)
				cri = append(cri, imagestore.CRINames("ghcr.io/acme/web", tag, img))
				s.must(k8s.Add(s.ctx(), img, cri[i]...))
			}
			pause := s.image("registry.k8s.io/pause:3.9", 1)
			s.must(k8s.Add(s.ctx(), pause, imagestore.CRINames("registry.k8s.io/pause", "3.9", pause)...))

			p := s.prune("--policy", file, "-n", "default", "-n", "k8s.io")
			p.wantNames("default", v[3].Name, v[4].Name, "ghcr.io/acme/api:latest", other.Name)
			wantAction(t, p.Document, v[2].Name, prune.Remove, `not kept by rule "releases": 3rd newest of 5 in ghcr.io/acme/api`)
			wantAction(t, p.Document, v[3].Name, prune.Keep, "in use by container web")
			wantAction(t, p.Document, v[4].Name, prune.Keep, `kept by rule "releases": the newest of 5 in ghcr.io/acme/api`)
			wantAction(t, p.Document, "ghcr.io/acme/api:latest", prune.Keep, "no rule of the policy matches it")
			wantAction(t, p.Document, scratch.Name, prune.Remove, `not kept by rule "scratch"`)
			for i, all := range cri {
				for _, name := range all {
					_, left := p.after.Namespaces["k8s.io"].Images[name]
					if left != (i > 0) {
						t.Errorf("%s is left: %v", name, left)
					}
				}
			}
			if left := names(p.after, "k8s.io"); len(left) != len(cri[1])+len(cri[2])+3 {
				t.Errorf("names left in k8s.io: %q", left)
			}
			if r := p.Policy.Retention; r == nil || len(r.Rules) != 3 || !strings.Contains(r.Rules[0].Name, "releases") {
				t.Errorf("the report is of policy %+v", r)
			}
			if again := s.plan("--policy", file, "-n", "default", "-n", "k8s.io"); again.Counts.Remove+again.Counts.StandIn > 0 {
				t.Errorf("a second run would remove %+v", again.Counts)
			}
		})
	}
}
