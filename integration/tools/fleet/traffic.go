package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// cluster is a model: services are rolled out again and again, and each version runs
// where the scheduler puts it; CronJobs run on some node each time.
const (
	modelNodes    = 100
	modelDays     = 28
	services      = 120
	replicas      = 6
	jobs          = 40
	rolloutsADay  = 0.5 // of a service
	evictionsADay = 1.0 // pods that move to another node, of a service
	jobsADay      = 4.0 // runs of a job
	imageBytes    = 250e6
	rollbacks     = 0.05 // of the rollouts go back to the version before
)

// policy says whether an image goes that was pulled and last used so long ago. Runs are
// every six hours.
type policy struct {
	name string
	goes func(pulled, used time.Duration) bool
}

const day = 24 * time.Hour

var policies = []policy{
	{"nothing is pruned", func(_, _ time.Duration) bool { return false }},
	{"`keep: none`", func(_, _ time.Duration) bool { return true }},
	{"`within: 1d`", func(pulled, _ time.Duration) bool { return pulled > day }},
	{"`within: 3d`", func(pulled, _ time.Duration) bool { return pulled > 3*day }},
	{"`usedWithin: 3d`", func(_, used time.Duration) bool { return used > 3*day }},
	{"`within: 3d, usedWithin: 7d`", func(pulled, used time.Duration) bool { return pulled > 3*day && used > 7*day }},
}

// held is an image on a node.
type held struct {
	pulled, used time.Duration
	pods         int
}

// model is the state of the cluster under one policy.
type model struct {
	nodes [modelNodes]map[int]*held
	// seen are the images that a node had once.
	seen           [modelNodes]map[int]bool
	pulls, again   int
	most, leftOver int
}

func newModel() *model {
	m := &model{}
	for i := range m.nodes {
		m.nodes[i], m.seen[i] = make(map[int]*held), make(map[int]bool)
	}
	return m
}

// start has a pod of an image begin on a node.
func (m *model) start(node, image int, now time.Duration) {
	h := m.nodes[node][image]
	if h == nil {
		m.pulls++
		if m.seen[node][image] {
			m.again++
		}
		h = &held{pulled: now}
		m.nodes[node][image], m.seen[node][image] = h, true
	}
	h.pods, h.used = h.pods+1, now
}

func (m *model) end(node, image int, now time.Duration) {
	h := m.nodes[node][image]
	h.pods, h.used = h.pods-1, now
}

// prune removes what a policy lets go, of what no pod uses.
func (m *model) prune(p policy, now time.Duration) {
	m.leftOver = 0
	for _, node := range m.nodes {
		for image, h := range node {
			if h.pods == 0 && p.goes(now-h.pulled, now-h.used) {
				delete(node, image)
			}
		}
		m.most = max(m.most, len(node))
		m.leftOver += len(node)
	}
}

// pod is where a pod of a service runs, and of which image.
type pod struct{ node, image int }

// simulate runs the same month under a policy: the seed decides what happens, and no
// policy changes it.
func simulate(p policy) *model {
	m, r := newModel(), rand.New(rand.NewPCG(1, 2))
	var pods [services][replicas]pod
	var versions, before [services]int
	for s := range pods {
		versions[s], before[s] = s, s
		for i := range pods[s] {
			pods[s][i] = pod{r.IntN(modelNodes), s}
			m.start(pods[s][i].node, s, 0)
		}
	}
	next := services + jobs
	for hour := range modelDays * 24 {
		now := time.Duration(hour) * time.Hour
		for s := range pods {
			if r.Float64() < rolloutsADay/24 {
				image := next
				if r.Float64() < rollbacks {
					image = before[s]
				}
				next++
				before[s], versions[s] = versions[s], image
				for i, old := range pods[s] {
					m.move(&pods[s][i], pod{r.IntN(modelNodes), image}, old, now)
				}
			}
			if r.Float64() < evictionsADay/24 {
				i := r.IntN(replicas)
				m.move(&pods[s][i], pod{r.IntN(modelNodes), pods[s][i].image}, pods[s][i], now)
			}
		}
		for j := range jobs {
			if r.Float64() < jobsADay/24 {
				node := r.IntN(modelNodes)
				m.start(node, services+j, now)
				m.end(node, services+j, now)
			}
		}
		if hour%int(every/time.Hour) == 0 {
			m.prune(p, now)
		}
	}
	return m
}

// move starts a pod elsewhere and ends the old one.
func (m *model) move(at *pod, to, old pod, now time.Duration) {
	m.start(to.node, to.image, now)
	m.end(old.node, old.image, now)
	*at = to
}

// traffic is what policies cost in images that are pulled again.
func traffic(w io.Writer) {
	fmt.Fprintln(w, "| policy | pulls | of these again | GB again a day and 1,000 nodes | images on a node in the end | at most |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|")
	for _, p := range policies {
		m := simulate(p)
		fmt.Fprintf(w, "| %s | %d | %d | %.0f | %.0f | %d |\n", p.name, m.pulls, m.again,
			float64(m.again)*imageBytes/1e9/modelDays*1000/modelNodes, float64(m.leftOver)/modelNodes, m.most)
	}
}
