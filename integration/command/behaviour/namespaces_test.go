package behaviour_test

import (
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// In Kubernetes' namespace the records of an image go together or not at all,
// and a container's image is the one that CRI's own data names.
func TestKubernetes(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		k8s := s.In("k8s.io")
		repos := []string{"registry.k8s.io/used", "registry.k8s.io/unused", "registry.k8s.io/partly"}
		all := map[string][]string{}
		for _, repo := range repos {
			img := s.image("", 1)
			all[repo] = imagestore.CRINames(repo, "v1", img)
			s.must(k8s.Add(s.ctx(), img, all[repo]...))
			if repo == repos[0] {
				// The Image field names another image than the one that runs.
				s.must(k8s.CRIContainer(s.ctx(), "pod", "registry.k8s.io/gone:v1", img))
			}
		}
		s.must(k8s.Tag(s.ctx(), all[repos[2]][0], "example.com/other:v1"))
		partly := append(all[repos[2]], "example.com/other:v1")

		p := s.prune("--all", "-n", "k8s.io", "--filter", "reference=registry.k8s.io/*")
		p.wantNames("k8s.io", slices.Concat(all[repos[0]], partly)...)
		for _, name := range all[repos[0]] {
			wantAction(t, p.Document, name, prune.Keep, "in use by pod")
		}
		s.prune("--all", "-n", "k8s.io").wantNames("k8s.io", all[repos[0]]...)
	})
}

// A namespace of Docker's in which there is nothing has nothing that Docker would
// have to be asked about.
func TestEmptyDockerNamespace(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.must(s.Client.NamespaceService().Create(s.ctx(), "moby", nil))
		gone := s.added("docker.io/library/gone:1", 1)
		p := s.prune("--all", "--all-namespaces")
		p.wantNames("default")
		p.wantBlobsGone(gone)
		if len(p.Refused)+len(p.Notes) > 0 {
			t.Errorf("refused %v, noted %v", p.Refused, p.Notes)
		}
	})
}

// What buildkit keeps of its builds is not for us to remove.
func TestHistoryNamespace(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		history := s.In("buildkit_history")
		img := s.image("docker.io/library/record:1", 1)
		s.must(history.Add(s.ctx(), img))
		s.added("docker.io/library/a:1", 1)
		p := s.prune("--all", "--all-namespaces")
		p.wantNames("default")
		p.wantNames("buildkit_history", img.Name)
		wantAction(t, p.Document, img.Name, prune.Keep, "build history")
	})
}
