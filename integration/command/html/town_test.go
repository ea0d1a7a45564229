package html

import (
	"fmt"

	"github.com/opencontainers/go-digest"
)

// estate are repositories of several registries and organisations, as a machine has
// them that many people and builds use.
var estate = []struct {
	space, repository, tag string // tag takes the number of the build
	base                   layer
	mb                     float64
	weight                 int
}{
	{"default", "docker.io/library/postgres", "%d-trixie", debian, 104, 3},
	{"default", "docker.io/library/redis", "8.%d-alpine", alpine, 14, 2},
	{"default", "docker.io/library/nginx", "1.%d.0", debian, 43, 3},
	{"default", "docker.io/library/node", "22.%d.1-trixie-slim", debian, 75, 4},
	{"default", "docker.io/grafana/grafana", "12.%d.0", alpine, 160, 2},
	{"default", "docker.io/grafana/loki", "3.%d.2", alpine, 60, 1},
	{"default", "ghcr.io/acme/api", "build-2026-11-%04d", debian, 90, 14},
	{"default", "ghcr.io/acme/worker", "build-2026-11-%04d", debian, 70, 10},
	{"default", "ghcr.io/acme/tools/migrate", "sha-%07d", golang, 35, 5},
	{"default", "ghcr.io/devtools/scanner", "2026.%d", alpine, 310, 2},
	{"default", "registry.example.com/shop/web", "1.%d.0", debian, 34, 12},
	{"default", "registry.example.com/shop/search", "1.%d.0", jre, 140, 8},
	{"default", "registry.example.com/shop/billing", "1.%d.0", jre, 64, 8},
	{"default", "registry.example.com/data/etl", "nightly-%05d", python, 220, 6},
	{"default", "quay.io/prometheus/prometheus", "v3.%d.0", alpine, 121, 2},
	{"ci", "registry.example.com/ci/runner", "pipeline-%06d", debian, 110, 22},
	{"ci", "registry.example.com/ci/lint", "pipeline-%06d", golang, 40, 12},
	{"ci", "docker.io/library/golang", "1.%d", golang, 130, 4},
	{"k8s.io", "registry.k8s.io/kube-apiserver", "v1.%d.1", alpine, 29, 3},
	{"k8s.io", "registry.k8s.io/kube-proxy", "v1.%d.1", alpine, 27, 3},
	{"k8s.io", "registry.k8s.io/coredns/coredns", "v1.%d.1", alpine, 22, 2},
	{"k8s.io", "registry.k8s.io/etcd", "3.6.%d-0", alpine, 58, 2},
	{"k8s.io", "quay.io/cilium/cilium", "v1.%d.0", debian, 210, 2},
}

// town has n images of the estate: the newest of each repository are in use, and
// neighbouring builds share their dependencies.
func town(n int) sample {
	s := newSample()
	loose := 3 + n/100
	n -= loose
	weights := 0
	for _, e := range estate {
		weights += e.weight
	}
	for i, e := range estate {
		count := max(1, n*e.weight/weights)
		if i == 6 { // so that they add up
			count += n - townSize(n, weights)
		}
		for v := range count {
			name := fmt.Sprintf("%s:"+e.tag, e.repository, v+1)
			own := e.mb * (0.6 + float64(spread(name, 80))/100)
			deps := layer{fmt.Sprintf("%s dependencies %d", e.repository, v/4), own * 0.6}
			s.image(e.space, name, 3+(count-v)*200/count, e.base, deps, layer{name, own * 0.4})
			if v >= count-max(1, count/12) {
				s.run(e.space, fmt.Sprintf("c-%d-%d", i, v), name, 3+float64(spread(name, 30)))
			}
		}
	}
	for i := range loose {
		old := layer{fmt.Sprintf("old build %d", i), 60 + float64(spread(fmt.Sprint("old", i), 60))}
		target := digest.FromString("manifest " + fmt.Sprint([]layer{debian, old}))
		s.image("default", "overlayfs@"+target.String(), 20+i, debian, old)
	}
	return s
}

func townSize(n, weights int) (total int) {
	for _, e := range estate {
		total += max(1, n*e.weight/weights)
	}
	return total
}
