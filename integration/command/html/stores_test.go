package html

import (
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

var (
	debian = layer{"debian trixie", 48.5}
	alpine = layer{"alpine 3.22", 3.6}
	python = layer{"python 3.13", 61}
	golang = layer{"go 1.26", 74}
	jre    = layer{"jre 25", 88}
)

// workshop is a store as developers have it: a team's services on common
// bases, what they run beside them, old builds, and what nobody remembers.
func workshop() sample {
	s := newSample()
	base := map[string][]layer{
		"web": {debian, python}, "worker": {debian, python}, "gateway": {alpine}, "search": {debian, jre}, "billing": {debian, jre}, "tools": {debian, golang},
	}
	weight := map[string]float64{"web": 34, "worker": 52, "gateway": 19, "search": 140, "billing": 64, "tools": 210}
	for _, app := range []string{"web", "worker", "gateway", "search", "billing", "tools"} {
		for v := range 9 {
			own := weight[app] * (1 + float64(spread(fmt.Sprint(app, v), 30))/100)
			deps := layer{fmt.Sprintf("%s dependencies %d", app, v/3), own * 0.7}
			code := layer{fmt.Sprintf("%s code %d", app, v), own * 0.3}
			s.image("default", fmt.Sprintf("registry.example.com/shop/%s:1.%d.%d", app, v/3, v%3), 60-6*v, append(base[app], deps, code)...)
		}
		s.run("default", app, fmt.Sprintf("registry.example.com/shop/%s:1.2.2", app), 4+float64(spread(app, 60)))
	}
	for i, third := range []struct {
		name   string
		layers []layer
		used   bool
	}{
		{"docker.io/library/postgres:18", []layer{debian, {"postgres 18", 104}}, true},
		{"docker.io/library/postgres:17", []layer{debian, {"postgres 17", 101}}, false},
		{"docker.io/library/redis:8-alpine", []layer{alpine, {"redis 8", 14}}, true},
		{"docker.io/library/nginx:1.29", []layer{debian, {"nginx 1.29", 43}}, true},
		{"docker.io/library/nginx:1.27", []layer{debian, {"nginx 1.27", 42}}, false},
		{"docker.io/library/python:3.13", []layer{debian, python, {"python sdk", 240}}, false},
		{"docker.io/library/golang:1.26", []layer{debian, golang, {"go sdk", 130}}, false},
		{"quay.io/prometheus/prometheus:v3.8.0", []layer{{"busybox", 2}, {"prometheus", 121}}, true},
		{"ghcr.io/devtools/scanner:latest", []layer{alpine, {"scanner db", 310}}, false},
	} {
		s.image("default", third.name, 12+9*i, third.layers...)
		if third.used {
			s.run("default", fmt.Sprintf("c%d", i), third.name, 2+7*float64(i))
		}
	}
	s.loose()
	s.pods()
	return s
}

// loose adds dangling images, a held build, an upload and garbage.
func (s sample) loose() {
	for i := range 4 {
		old := layer{fmt.Sprintf("old build %d", i), 95 + 11*float64(i)}
		target := digest.FromString("manifest " + fmt.Sprint([]layer{debian, python, old}))
		s.image("default", "overlayfs@"+target.String(), 20+i, debian, python, old)
	}
	ns := s.space("default")
	for i, mb := range []float64{180, 64, 22} {
		d := digest.FromString(fmt.Sprint("cache ", i))
		ns.Blobs[d] = prune.Blob{Size: int64(mb * 1e6)}
		ns.Leases = append(ns.Leases, prune.Lease{
			Lease:     leases.Lease{ID: fmt.Sprintf("build-cache-%d", i)},
			Resources: []leases.Resource{{ID: d.String(), Type: "content"}},
		})
	}
	undone := digest.FromString("removed yesterday")
	ns.Blobs[undone] = prune.Blob{Size: 130e6}
	ns.Leases = append(ns.Leases, prune.Lease{
		Lease:     leases.Lease{ID: "ctr-prune-grace-20261119-101500", Labels: map[string]string{"containerd.io/gc.expire": now.Add(20 * time.Hour).Format(time.RFC3339)}},
		Resources: []leases.Resource{{ID: undone.String(), Type: "content"}},
	})
	forgotten := digest.FromString("forgotten")
	ns.Blobs[forgotten] = prune.Blob{Size: 75e6}
	ns.Ingests = append(ns.Ingests, content.Status{Ref: "layer-sha256:77", Offset: 41e6, StartedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Minute)})
}

// run adds a container of an image with what it wrote.
func (s sample) run(space, id, name string, mb float64) {
	ns := s.space(space)
	key := prune.SnapshotKey{Snapshotter: "overlayfs", Key: id}
	parent := ""
	for _, record := range ns.Images {
		if record.Name == name {
			config := ns.Blobs[digest.Digest(ns.Blobs[record.Target.Digest].Labels.Get(ref+"config"))]
			parent = config.Labels.Get("containerd.io/gc.ref.snapshot.overlayfs")
		}
	}
	s.snapshot(space, key, snapshots.KindActive, parent, mb)
	ns.Containers = append(ns.Containers, containers.Container{ID: id, Image: name, Snapshotter: "overlayfs", SnapshotKey: id})
	ns.Uses = append(ns.Uses, prune.Use{Holder: prune.Holder{Kind: "container", ID: id, Client: "nerdctl"}, Image: name, Snapshot: key})
}

// pods adds a Kubernetes namespace that shares bases with the other.
func (s sample) pods() {
	for i, name := range []string{"coredns/coredns:v1.13.1", "etcd:3.6.5-0", "kube-apiserver:v1.36.1", "kube-proxy:v1.36.1", "pause:3.10.1", "kube-proxy:v1.35.0", "kube-apiserver:v1.35.0"} {
		mb := []float64{22, 58, 29, 27, 0.7, 26, 28}[i]
		full := "registry.k8s.io/" + name
		target := s.image("k8s.io", full, 30+i, layer{"distroless", 1.9}, layer{name, mb})
		s.record("k8s.io", "sha256:"+digest.FromString("config "+name).Encoded(), target, now)
		if i < 5 {
			s.run("k8s.io", fmt.Sprintf("pod-%d", i), full, 0.3)
		}
	}
	s.image("k8s.io", "docker.io/library/postgres:18", 30, debian, layer{"postgres 18", 104})
}

// warehouse has n images of 40 repositories on shared bases, about four own
// blobs each.
func warehouse(n int) sample {
	s := newSample()
	for i := range n {
		repo := i % 40
		name := fmt.Sprintf("registry.example.com/team-%02d/service-%02d:build-%05d", repo%7, repo, i)
		own := 1 + float64(spread(name, 400))/10
		target := s.image("default", name, i%300,
			debian, layer{fmt.Sprint("runtime ", repo), 60}, layer{fmt.Sprint("libraries ", i/10), 20},
			layer{name + " dependencies", own}, layer{name + " code", own / 5})
		if i%11 == 0 {
			s.record("default", fmt.Sprintf("registry.example.com/team-%02d/service-%02d:stable-%d", repo%7, repo, i), target, now)
		}
		if i%5 == 0 {
			s.run("default", fmt.Sprintf("container-%05d", i), name, own)
		}
	}
	return s
}
