package resident

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// pageFresh is how long a reading of the store is shown by the page before another
	// one. Reading may take a part of the time only: a pause is pagePause times as long
	// as the reading before it.
	pageFresh = time.Minute
	pagePause = 20
	// pageWait is how long who asks waits for a reading, if there is an older one
	// pageShort: it is shown with its age, because something else may be under way.
	pageWait, pageShort = 20 * time.Second, 5 * time.Second

	pageEverywhere = "everywhere"
)

// pages is what the page for people is made of. The loop reads the store for it, and
// only if somebody has asked, so that there is one reading at a time, and none beside a
// run.
type pages struct {
	asked      chan struct{}
	node       atomic.Pointer[htmlreport.Node]
	everywhere atomic.Bool

	mu    sync.Mutex
	page  *htmlreport.Prepared // of the last reading, nil before the first
	read  time.Time
	next  time.Time // when the store may be read again
	err   string
	ended chan struct{} // closed when the next reading has ended
}

func newPages() *pages {
	return &pages{asked: make(chan struct{}, 1), ended: make(chan struct{})}
}

// due is when the store is to be read, if somebody asks now.
func (p *pages) due(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.After(now) {
		return p.next
	}
	return now
}

// Everywhere says that the page is not only for who is on this machine.
func (r *Resident) Everywhere() bool { return r.page.everywhere.Load() }

// Page returns what writes the page: what the next run would do, with how the node is.
func (r *Resident) Page(ctx context.Context) func(io.Writer) error {
	p := r.page
	p.mu.Lock()
	stale, first, ended := !p.next.After(r.o.Now()), p.page == nil, p.ended
	p.mu.Unlock()
	if stale {
		select {
		case p.asked <- struct{}{}:
		default: // somebody else has
		}
		wait := pageShort
		if first {
			wait = pageWait
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return r.writePage
}

func (r *Resident) writePage(w io.Writer) error {
	p := r.page
	p.mu.Lock()
	page, read, failed := p.page, p.read, p.err
	p.mu.Unlock()
	node := htmlreport.Node{Why: "it is starting"}
	if known := p.node.Load(); known != nil {
		node = *known
	}
	node.Time, node.Read = r.o.Now(), read
	if failed != "" {
		node.Problems = append([]string{"the store could not be read for this page: " + failed}, node.Problems...)
	}
	if page == nil {
		return htmlreport.Write(w, htmlreport.Page{Host: r.o.Node, Node: &node, Generated: node.Time})
	}
	return page.Write(w, &node)
}

// readForPage reads the store as the next run would, and plans what it would do.
func (r *Resident) readForPage(ctx context.Context) {
	policy, conn, procfs, host := r.policy(), r.conn, r.procfs(), r.o.Node
	if r.disks.now != nil && r.disks.now.Full() {
		policy.Pressure = r.disks.now
	}
	r.pageAt = time.Time{}
	r.do(ctx, "reading the store for the page", func(reading context.Context) func() {
		began := r.o.Now()
		var page *htmlreport.Prepared
		plan, err := prune.ReadPlan(reading, conn.store, policy, began, prune.ReadOptions{Sources: conn.sources, Procfs: procfs, AllSizes: true, Origins: true})
		if err == nil {
			doc := prune.PlanDocument(plan)
			page, err = htmlreport.Prepare(htmlreport.Page{
				Title: "What the next run would do", Host: host, Usage: prune.Usage(plan, true), Document: &doc, Generated: began,
			})
		}
		return func() { r.readPage(ctx, page, began, err) }
	})
}

// readPage takes over a reading, and lets go who waits for it.
func (r *Resident) readPage(ctx context.Context, page *htmlreport.Prepared, began time.Time, err error) {
	now := r.o.Now()
	r.page.take(page, began, now, err)
	switch {
	case err == nil:
		r.answered()
		r.lookAt = now.Add(lookEvery)
	case ctx.Err() == nil && silent(err):
		r.lost(err)
	}
}

func (p *pages) take(page *htmlreport.Prepared, began, now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = now.Add(max(pageFresh, pagePause*now.Sub(began)))
	p.err = ""
	if err != nil {
		p.err = err.Error()
	} else {
		p.page, p.read = page, began
	}
	close(p.ended)
	p.ended = make(chan struct{})
}

// nodeOf is the status for the page.
func (r *Resident) nodeOf(s *Status) *htmlreport.Node {
	node := &htmlreport.Node{Why: s.Why, DryRun: s.DryRun, NextRun: s.NextRun}
	for _, problem := range []struct{ what, text string }{
		{"the configuration in the file has errors, and the one before is in use: ", s.Config.Error}, {"", s.Lock.Error},
		{"containerd does not answer: ", s.Containerd.Error}, {"not enough could be freed: ", s.Disks.Short}, {"use of images is not watched: ", s.Use.Error},
	} {
		if problem.text != "" {
			node.Problems = append(node.Problems, problem.what+problem.text)
		}
	}
	marks := r.conf.Disk.Both()
	for _, f := range s.Disks.FileSystems {
		node.Disks = append(node.Disks, htmlreport.Disk{
			Name: f.String(), Unseen: f.Unseen, Capacity: f.CapacityBytes, Available: f.AvailableBytes, Used: f.UsedPercent, Inodes: f.UsedInodesPercent(),
			Low: marks.Low, High: marks.High, Critical: r.conf.Disk.Critical, Full: f.Pressure,
		})
	}
	for _, run := range s.Runs {
		node.Runs = append(node.Runs, htmlreport.NodeRun{
			Name: run.Run, Trigger: run.Trigger, Result: run.Result, Started: run.Started, Took: run.Ended.Sub(run.Started),
			Removed: run.Removed, Bytes: run.Bytes, Error: run.Error,
		})
	}
	return node
}
